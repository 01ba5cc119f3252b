/** Banners over the composer: what the server notes, and what failed where nothing else shows it. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Notice } from '../state/fold';
import { icon } from './icons';
import type { Ctx } from './part';
import { button } from './rows';

const GLYPHS = { info: 'info', warning: '-warning', danger: '-danger' };

export function notices(ctx: Ctx, list: readonly Notice[]): TemplateResult | typeof nothing {
  if (!list.length) return nothing;
  return html`<div class="notices">
    ${list.map(
      (notice) => html`<div class="notice ${Object.hasOwn(GLYPHS, notice.level) ? notice.level : 'info'}" role=${notice.level === 'info' ? 'status' : 'alert'}>
        ${icon(GLYPHS[notice.level] ?? 'info')}
        <div class="grow">
          ${notice.title ? html`<strong dir="auto">${notice.title}</strong>` : nothing}
          <ck-markdown dir="auto" .ctx=${ctx} .text=${notice.message}></ck-markdown>
        </div>
        ${button('close', ctx.locale.t('dismiss'), () => ctx.chat.dismiss(notice.key))}
      </div>`,
    )}
  </div>`;
}
