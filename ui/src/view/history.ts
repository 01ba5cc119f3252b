/** The history: threads by day, search, rename, delete, more when one scrolls. */
import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Thread } from '../wire/types';
import { icon } from './icons';
import './menu';
import { define, Part } from './part';
import { button } from './rows';

export class HistoryPart extends Part {
  static override properties = { ...Part.properties, state: { attribute: false }, renaming: { state: true }, deleting: { state: true } };
  declare state: Part['ctx']['history']['state'];
  /** Ids of the thread whose name is being changed, or that is about to be deleted. */
  declare renaming: string | null;
  declare deleting: string | null;

  constructor() {
    super();
    this.renaming = this.deleting = null;
  }

  protected override firstUpdated(): void {
    this.querySelector<HTMLElement>('input')?.focus();
  }

  protected override render(): TemplateResult {
    const { history } = this.ctx;
    const { loading, loaded, cursor, query } = this.state;
    const groups = byDay(history.found);
    return html`<section class="history" aria-label=${this.t('history')} @keydown=${this.key}>
      <div class="history-head">
        <label class="search">
          ${icon('search')}
          <input
            type="search"
            .value=${query}
            placeholder=${this.t('searchHistory')}
            aria-label=${this.t('searchHistory')}
            @input=${(event: Event) => void history.search((event.target as HTMLInputElement).value)}
          />
        </label>
        ${button('close', this.t('closeHistory'), () => this.ctx.openHistory(false))}
      </div>
      <div class="history-list" tabindex="-1" @scroll=${this.scrolled}>
        ${groups.map(
          ([day, threads]) => html`<h3>${this.t(day)}</h3>
            <ul>
              ${repeat(threads, (thread) => thread.id, (thread) => html`<li>${this.row(thread)}</li>`)}
            </ul>`,
        )}
        ${loaded && !loading && !groups.length ? html`<p class="empty">${this.t(query.trim() ? 'noneFound' : 'noThreads')}</p>` : nothing}
        ${this.state.failed
          ? html`<div class="error" role="alert">
              <span class="grow">${this.t('errorUnreachable')}</span>
              <button class="button" type="button" @click=${() => void history.reload()}>${this.t('retry')}</button>
            </div>`
          : nothing}
        ${loading ? html`<div class="loading" role="status"><span class="hidden">${this.t('loading')}</span>${icon('-loader')}</div>` : nothing}
        ${cursor && !loading
          ? html`<button class="text-button" type="button" @click=${() => void history.more()}>${this.t('loadMore')}</button>`
          : nothing}
      </div>
    </section>`;
  }

  private row(thread: Thread): TemplateResult {
    const title = thread.title || this.t('untitled');
    const { showDelete = true, showRename = true } = this.ctx.options.history ?? {};
    if (this.renaming === thread.id) return this.renameForm(thread);
    if (this.deleting === thread.id) return this.deleteQuestion(thread, title);
    const items = [
      ...(showRename ? [{ id: 'rename', label: this.t('rename'), icon: 'write-alt' }] : []),
      ...(showDelete ? [{ id: 'delete', label: this.t('delete'), icon: '-delete', danger: true }] : []),
    ];
    return html`<div class="thread-row ${thread.id === this.ctx.chat.state.threadId ? 'current' : ''}">
      <button
        class="thread-open"
        type="button"
        aria-current=${thread.id === this.ctx.chat.state.threadId ? 'true' : nothing}
        @click=${() => this.show(thread.id)}
      >
        <bdi>${title}</bdi>
      </button>
      ${items.length
        ? html`<ck-menu
            .ctx=${this.ctx}
            .label=${this.t('options', title)}
            .glyph=${'dots-horizontal'}
            .items=${items}
            .choose=${(id: string) => (id === 'rename' ? (this.renaming = thread.id) : (this.deleting = thread.id))}
          ></ck-menu>`
        : nothing}
    </div>`;
  }

  private renameForm(thread: Thread): TemplateResult {
    const done = (): void => {
      this.renaming = null;
    };
    const submit = (event: Event): void => {
      event.preventDefault();
      const title = this.querySelector<HTMLInputElement>('.rename input')!.value.trim();
      done();
      if (!title || title === thread.title) return;
      this.ctx.history.rename(thread.id, title).then(
        () => this.ctx.chat.renamed(thread.id, title),
        (error) => this.ctx.fail(error, true),
      );
    };
    return html`<form class="rename" @submit=${submit}>
      <input
        .value=${thread.title ?? ''}
        maxlength="200"
        aria-label=${this.t('rename')}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          done();
        }}
      />
      ${button('check', this.t('save'), submit)} ${button('close', this.t('cancel'), done)}
    </form>`;
  }

  private deleteQuestion(thread: Thread, title: string): TemplateResult {
    const remove = (): void => {
      this.deleting = null;
      this.ctx.history.remove(thread.id).then(
        () => (thread.id === this.ctx.chat.state.threadId ? this.ctx.chat.open(null) : undefined),
        (error) => this.ctx.fail(error, true),
      );
    };
    return html`<div class="delete" role="alertdialog" aria-label=${this.t('deleteQuestion', title)}>
      <span class="grow">${this.t('deleteQuestion', title)}</span>
      <button class="button danger" type="button" @click=${remove}>${this.t('delete')}</button>
      <button class="button" type="button" @click=${() => (this.deleting = null)}>${this.t('cancel')}</button>
    </div>`;
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (changed.has('renaming') && this.renaming) this.querySelector<HTMLInputElement>('.rename input')?.select();
    if (changed.has('deleting') && this.deleting) this.querySelector<HTMLElement>('.delete .button')?.focus();
  }

  private show(id: string): void {
    this.ctx.openHistory(false);
    if (id !== this.ctx.chat.state.threadId) void this.ctx.chat.open(id);
  }

  private key = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') this.ctx.openHistory(false);
  };

  private scrolled = (event: Event): void => {
    const { scrollTop, scrollHeight, clientHeight } = event.target as HTMLElement;
    if (scrollHeight - clientHeight - scrollTop < 200) void this.ctx.history.more();
  };
}

function byDay(threads: readonly Thread[]): ['today' | 'yesterday' | 'earlier', Thread[]][] {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const groups: Record<'today' | 'yesterday' | 'earlier', Thread[]> = { today: [], yesterday: [], earlier: [] };
  for (const thread of threads) {
    const time = Date.parse(thread.created_at);
    groups[time >= midnight ? 'today' : time >= midnight - 86_400_000 ? 'yesterday' : 'earlier'].push(thread);
  }
  return (Object.entries(groups) as ['today' | 'yesterday' | 'earlier', Thread[]][]).filter(([, list]) => list.length);
}

define('ck-history', HistoryPart);
