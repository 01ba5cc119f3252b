/** The conversation: its rows, and what floats over them. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { icon } from './icons';
import { define, Part } from './part';
import { rowsOf } from './rows';
import type { ScrollerPart } from './scroller';
import './scroller';
import { styles } from './styles';

export class ThreadPart extends Part {
  static override properties = { ...Part.properties, state: { attribute: false }, away: { state: true }, selected: { state: true } };
  declare state: Part['ctx']['chat']['state'];
  /** The newest message is not on screen. */
  declare away: boolean;
  /** Text of an answer that the user has selected, and where. */
  declare selected: { text: string; x: number; y: number } | null;
  private thread: string | null = null;
  private loaded = false;
  private draft = '';

  constructor() {
    super();
    this.away = false;
    this.selected = null;
  }

  private get scroller(): ScrollerPart {
    return this.querySelector('ck-scroller') as ScrollerPart;
  }

  protected override render(): TemplateResult {
    const { loading, loadingOlder, running } = this.state;
    return html`<div class="thread" @pointerup=${this.select} @keyup=${this.select}>
      ${loading || loadingOlder ? html`<div class="loading" role="status"><span class="hidden">${this.t('loading')}</span>${icon('-loader')}</div>` : nothing}
      <ck-scroller
        .ctx=${this.ctx}
        .rows=${rowsOf(this.ctx, this.state)}
        .label=${this.t('conversation')}
        .follow=${this.ctx.options.thread?.autoScroll ?? false}
        .busy=${running || loading}
        @ck-end=${(event: CustomEvent<boolean>) => (this.away = !event.detail)}
        @ck-top=${() => void this.ctx.chat.loadOlder()}
      ></ck-scroller>
      ${this.away
        ? html`<button class="to-end" type="button" aria-label=${this.t('scrollDown')} title=${this.t('scrollDown')} @click=${() => this.scroller.toEnd(true)}>
            ${icon('-down')}
          </button>`
        : nothing}
      ${this.selected
        ? html`<button
            class="reply-button"
            type="button"
            ${styles({ left: `${this.selected.x}px`, top: `${this.selected.y}px` })}
            @click=${this.reply}
          >
            ${icon('-quote')}${this.t('quote')}
          </button>`
        : nothing}
    </div>`;
  }

  protected override updated(_: PropertyValues): void {
    const { threadId, loading, draft } = this.state;
    // A thread that begins with this message keeps its screen; one that is opened begins anew.
    const begun = this.thread === null && this.draft !== '';
    if ((threadId !== this.thread && !begun) || (this.loaded && loading)) this.scroller.reset();
    this.thread = threadId;
    this.loaded = !loading;
    const now = draft?.id ?? '';
    if (now && now !== this.draft) this.scroller.lead();
    this.draft = now;
  }

  private select = (event: Event): void => {
    if ((event.target as Element).closest?.('.reply-button')) return;
    const root = this.getRootNode() as ShadowRoot & { getSelection?(): Selection | null };
    const selection = root.getSelection?.() ?? document.getSelection();
    const text = selection?.toString().trim() ?? '';
    const within = (selection?.anchorNode as Node | null)?.parentElement?.closest('[data-answer]');
    if (!text || !within || !selection?.rangeCount) {
      this.selected = null;
      return;
    }
    const box = this.firstElementChild!.getBoundingClientRect();
    const range = selection.getRangeAt(0).getBoundingClientRect();
    const x = Math.min(Math.max(range.left - box.left + range.width / 2, 60), box.width - 60);
    this.selected = { text, x, y: Math.max(4, range.top - box.top - 40) };
  };

  private reply = (): void => {
    if (this.selected) this.ctx.composer.choose({ quote: this.selected.text });
    this.selected = null;
    this.dispatchEvent(new CustomEvent('ck-focus', { bubbles: true }));
  };
}

define('ck-thread', ThreadPart);
