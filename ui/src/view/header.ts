/** The header: the page's own buttons, the title, the history and a new chat. */
import type { HeaderOption } from '@openai/chatkit';
import { html, nothing, type TemplateResult } from 'lit';
import { icon } from './icons';
import type { Ctx } from './part';
import { button } from './rows';

export function header(ctx: Ctx, title: string | null, historyOpen: boolean): TemplateResult | typeof nothing {
  const option = ctx.options.header ?? {};
  const withHistory = ctx.options.history?.enabled !== false;
  if (option.enabled === false) return nothing;
  const shown = option.title?.enabled === false ? '' : (option.title?.text ?? title ?? '');
  return html`<header class="header">
    ${own(option.leftAction)}
    ${shown ? html`<h2 class="title grow" dir="auto" title=${shown}>${shown}</h2>` : html`<span class="grow"></span>`}
    ${withHistory
      ? html`${button('history', ctx.locale.t(historyOpen ? 'closeHistory' : 'history'), () => ctx.openHistory(!historyOpen), historyOpen)}
        ${button('compose', ctx.locale.t('newChat'), () => {
          ctx.openHistory(false);
          void ctx.chat.open(null);
        })}`
      : nothing}
    ${own(option.rightAction)}
  </header>`;
}

function own(action: HeaderOption['leftAction']): TemplateResult | typeof nothing {
  if (!action) return nothing;
  const label = action.icon.replaceAll('-', ' ');
  return html`<button class="icon-button" type="button" aria-label=${label} title=${label} @click=${() => action.onClick?.()}>
    ${icon(action.icon)}
  </button>`;
}
