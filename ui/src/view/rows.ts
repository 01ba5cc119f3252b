/** The rows of a conversation, in order: items, and what is shown between and after them. */
import { html, nothing, type TemplateResult } from 'lit';
import type { ChatState } from '../state/chat';
import { answerAfter, copyText } from '../state/items';
import { isPicture } from '../text/images';
import type { ErrorEvent, ImageItem, Item } from '../wire/types';
import { icon } from './icons';
import { assistantMessage, userMessage } from './messages';
import type { Ctx } from './part';
import { taskView } from './workflow';

export interface Row {
  key: string;
  /** Equal versions look the same. */
  version: readonly unknown[];
  draw(): TemplateResult | typeof nothing;
  /** A message of the user, which stands at the top of the screen while it is answered. */
  lead?: boolean;
}

export function rowsOf(ctx: Ctx, state: ChatState): Row[] {
  const rows: Row[] = [];
  const { items, running, open, draft, progress, error } = state;
  let turn: string | null = null; // the user message that the items answer
  let answered = false;
  let speaking = false; // something that is still being made is on screen
  const endTurn = (last: boolean): void => {
    if (turn !== null && answered && !(last && running)) rows.push(actions(ctx, state, turn, last));
    answered = false;
  };
  for (const item of items) {
    if (item.type === 'user_message') {
      endTurn(false);
      turn = item.id;
    } else if (item.type !== 'end_of_turn' && item.type !== 'client_tool_call') answered = true;
    const row = itemRow(ctx, item, open.has(item.id), running);
    if (row) rows.push(row);
    if (row && open.has(item.id)) speaking = true;
  }
  if (draft) endTurn(false);
  if (draft) rows.push({ key: 'draft', lead: true, version: [draft, ctx, error], draw: () => userMessage(ctx, draft, !error) });
  if (running) {
    if (progress || !speaking)
      rows.push({ key: 'progress', version: [progress, ctx], draw: () => progressView(ctx, progress?.icon, progress?.text) });
  }
  if (error) rows.push({ key: 'error', version: [error, running, ctx], draw: () => errorView(ctx, error) });
  if (!draft) endTurn(true);
  return rows;
}

/** Rows of items that did not change, from one frame to the next. */
const made = new WeakMap<Item, { row: Row | null; ctx: Ctx; open: boolean; running: boolean }>();

function itemRow(ctx: Ctx, item: Item, open: boolean, running: boolean): Row | null {
  const known = made.get(item);
  if (known && known.ctx === ctx && known.open === open && known.running === running) return known.row;
  const view = viewOf(ctx, item, open, running);
  const depends = item.type === 'widget' || item.type === 'structured_input' || item.type === 'client_tool_call';
  const version = [item, ctx, open, depends && running];
  const row = view && { key: item.id, version, draw: view, lead: item.type === 'user_message' };
  made.set(item, { row, ctx, open, running });
  return row;
}

function viewOf(ctx: Ctx, item: Item, open: boolean, running: boolean): Row['draw'] | null {
  switch (item.type) {
    case 'user_message':
      return () => userMessage(ctx, item, false);
    case 'assistant_message':
      return item.content.some((part) => part.text) ? () => assistantMessage(ctx, item, open) : null;
    case 'widget':
      void import('../widgets/widget'); // defines it; until then it is an empty box
      return () => html`<ck-widget .ctx=${ctx} .item=${item} .blocked=${running}></ck-widget>`;
    case 'workflow':
      return () => html`<ck-workflow .ctx=${ctx} .workflow=${item.workflow} .running=${open}></ck-workflow>`;
    case 'task':
      return () => html`<div class="lone-task">${taskView(ctx, item.task, open, () => ctx.chat.touch())}</div>`;
    case 'generated_image':
      return () => imageView(ctx, item, open);
    case 'structured_input':
      void import('./structured-input');
      return () => html`<ck-questions .ctx=${ctx} .item=${item} .blocked=${running}></ck-questions>`;
    case 'client_tool_call':
      return item.status === 'pending' && running ? () => progressView(ctx, 'lucide:wrench', ctx.locale.t('toolRunning', item.name)) : null;
    default:
      return null; // end_of_turn, and items of a newer protocol
  }
}

function progressView(ctx: Ctx, glyph: string | null | undefined, text: string | undefined): TemplateResult {
  return html`<div class="progress">
    ${text ? html`${icon(glyph ?? '-loader', () => ctx.chat.touch())}<span class="shimmer">${text}</span>` : html`<span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>`}
  </div>`;
}

function imageView(ctx: Ctx, { image, progress }: ImageItem, open: boolean): TemplateResult {
  const part = open ? (progress ?? 0) : 1;
  return html`<figure class="generated" aria-busy=${open}>
    ${image && isPicture(image.url)
      ? html`<img src=${image.url} alt=${ctx.locale.t('image')} referrerpolicy="no-referrer" class=${part < 1 ? 'partial' : ''} />`
      : html`<div class="image-wait shimmer">${icon('square-image')}</div>`}
    ${open ? html`<progress max="1" .value=${part} aria-label=${ctx.locale.t('image')}></progress>` : nothing}
  </figure>`;
}

function errorView(ctx: Ctx, error: ErrorEvent): TemplateResult {
  const t = ctx.locale.t.bind(ctx.locale);
  const known: Record<string, string> = {
    connection_lost: t('errorConnection'),
    unreachable: t('errorUnreachable'),
    load_failed: t('errorLoad'),
    not_found: t('errorNotFound'),
  };
  const text = error.message || known[error.code] || t('errorGeneric');
  const retry = (): void => void ctx.chat.retry().catch((reason) => ctx.fail(reason, true));
  return html`<div class="error" role="alert">
    ${icon('-danger')}<span class="grow" dir="auto">${text}</span>
    ${error.allow_retry ? html`<button class="button" type="button" @click=${retry}>${icon('reload')}${t('retry')}</button>` : nothing}
  </div>`;
}

function actions(ctx: Ctx, state: ChatState, turn: string, last: boolean): Row {
  const { feedback = false, retry = false } = ctx.options.threadItemActions ?? {};
  const judged = state.feedback[turn];
  const blocked = state.running;
  return {
    key: `actions-${turn}`,
    version: [ctx, judged, blocked, last],
    draw: () => {
      const t = ctx.locale.t.bind(ctx.locale);
      const answer = (): Item[] => answerAfter(ctx.chat.state.items, turn);
      const judge = (kind: 'positive' | 'negative') => () => void ctx.chat.judge(turn, kind).catch((reason) => ctx.fail(reason, true));
      const again = (): void => void ctx.chat.retry(turn).catch((reason) => ctx.fail(reason, true));
      const reply = (): void => ctx.composer.choose({ quote: copyText(answer()).slice(0, 400) });
      const hasText = copyText(answer()) !== '';
      if (!hasText && !feedback && !retry) return nothing;
      return html`<div class="actions ${last ? 'last' : ''}">
        ${hasText ? button('-copy', t('copy'), () => ctx.copy(copyText(answer()))) : nothing}
        ${feedback ? button('-up-vote', t('good'), judge('positive'), judged === 'positive') : nothing}
        ${feedback ? button('-down-vote', t('bad'), judge('negative'), judged === 'negative') : nothing}
        ${retry ? button('reload', t('retry'), again, undefined, blocked) : nothing}
        ${hasText ? button('-quote', t('quote'), reply) : nothing}
      </div>`;
    },
  };
}

export function button(glyph: string, label: string, click: (event: Event) => void, pressed?: boolean, disabled = false): TemplateResult {
  return html`<button
    class="icon-button"
    type="button"
    title=${label}
    aria-label=${label}
    aria-pressed=${pressed === undefined ? nothing : String(pressed)}
    ?disabled=${disabled}
    @click=${click}
  >
    ${icon(glyph)}
  </button>`;
}
