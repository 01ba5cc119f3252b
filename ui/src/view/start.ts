/** The new-thread view: a greeting and prompts to start with. */
import { html, nothing, type TemplateResult } from 'lit';
import type { UserContent } from '../wire/types';
import { icon } from './icons';
import type { Ctx } from './part';

export function startScreen(ctx: Ctx): TemplateResult {
  const { greeting, prompts = [] } = ctx.options.startScreen ?? {};
  const send = (prompt: string | UserContent[]) => (): void => {
    const content: UserContent[] = typeof prompt === 'string' ? [{ type: 'input_text', text: prompt }] : prompt;
    const { attachments, quote, inference } = ctx.composer.take();
    void ctx.chat.send({ content, attachments, quote, inference }).catch((error) => ctx.fail(error, true));
  };
  return html`<div class="start">
    <h2 class="greeting" dir="auto">${greeting ?? ctx.locale.t('greeting')}</h2>
    ${prompts.length
      ? html`<ul class="prompts">
          ${prompts.map(
            ({ label, prompt, icon: glyph }) => html`<li>
              <button type="button" @click=${send(prompt as string | UserContent[])}>
                ${icon(glyph ?? 'sparkle', () => ctx.chat.touch())}<span dir="auto">${label}</span>
              </button>
            </li>`,
          )}
        </ul>`
      : nothing}
  </div>`;
}
