/** `<openai-chatkit>`: the options, methods and events of the hosted element, drawn here instead of in an iframe. */
import type { ChatKitOptions, Entity, OpenAIChatKit } from '@openai/chatkit';
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { Chat } from './state/chat';
import { Composer } from './state/composer';
import { History } from './state/history';
import { textOf } from './state/items';
import { normalize, type LegacyOptions, type Options } from './state/options';
import { Uploads } from './state/uploads';
import { choose, ENGLISH, load, type Locale } from './strings/locale';
import { policy } from './text/images';
import { deeplink } from './text/links';
import { sheet } from './theme/sheet';
import { apply, loadFonts, themeOf } from './theme/theme';
import './view/composer';
import type { ComposerPart } from './view/composer';
import { header } from './view/header';
import { notices } from './view/notices';
import type { Ctx, Details } from './view/part';
import './view/popover';
import type { PopoverRequest } from './view/citations';
import type { PopoverPart } from './view/popover';
import { startScreen } from './view/start';
import './view/thread';
import { Client } from './wire/client';
import { asError, ChatKitError } from './wire/errors';
import type { ActionConfig, Attachment, UserContent, WidgetItem } from './wire/types';

/** Where a page remembers that an answer was running when it was left. */
const RUNNING = 'chatkit-asgi:running';

export class ChatKitElement extends LitElement {
  static override styles = sheet;
  static override properties = { historyOpen: { state: true }, ctx: { state: true } };
  declare ctx: Ctx | null;
  declare historyOpen: boolean;
  private given: Options | null = null;
  private frame = 0;
  private live = '';
  private tabs: BroadcastChannel | null = null;
  private cleanup: (() => void)[] = [];
  private readied = false;
  private domains = 'null';

  constructor() {
    super();
    this.ctx = null;
    this.historyOpen = false;
  }

  // -- the public interface ---------------------------------------------------------------------

  /** Replaces all options; nothing is merged. Throws when the element cannot work with them. */
  setOptions(options: ChatKitOptions | (LegacyOptions & Partial<Omit<ChatKitOptions, keyof LegacyOptions>>)): void {
    const { options: next, unknown } = normalize(options);
    const before = this.given;
    this.given = next;
    for (const path of unknown) this.emit('chatkit.log', { name: 'options.unknown', data: { path } });
    if (!this.isConnected) return;
    if (!before || !this.ctx || before.api.url !== next.api.url || before.api.fetch !== next.api.fetch) this.begin();
    else this.configure(before);
  }

  /** The options as they are; setting them is {@link setOptions}. */
  get options(): Options | null {
    return this.given;
  }

  set options(options: ChatKitOptions | null) {
    if (options) this.setOptions(options);
  }

  async focusComposer(): Promise<void> {
    await this.updateComplete;
    this.composer?.focusEditor();
  }

  async setThreadId(threadId: string | null): Promise<void> {
    this.openHistory(false);
    await this.need.chat.open(threadId);
  }

  async sendCustomAction(action: { type: string; payload?: Record<string, unknown> }, itemId?: string): Promise<void> {
    await this.need.chat.act(action, itemId ?? null, true);
  }

  /** The name in the first guides. */
  async sendAction(action: { type: string; payload?: Record<string, unknown> }, itemId?: string): Promise<void> {
    await this.sendCustomAction(action, itemId);
  }

  async sendUserMessage(params: Parameters<OpenAIChatKit['sendUserMessage']>[0]): Promise<void> {
    const { text, content, reply, attachments, newThread, toolChoice, model } = params;
    await this.need.chat.send({
      content: (content as UserContent[] | undefined) ?? [{ type: 'input_text', text: text ?? '' }],
      attachments: (attachments as Attachment[] | undefined) ?? [],
      quote: reply ?? null,
      newThread: newThread ?? false,
      inference: { ...(toolChoice ? { tool_choice: toolChoice } : {}), ...(model ? { model } : {}) },
    });
  }

  async setComposerValue(params: Parameters<OpenAIChatKit['setComposerValue']>[0]): Promise<void> {
    const { text, content, reply, attachments, files, selectedToolId, selectedModelId } = params;
    const { composer } = this.need;
    await this.updateComplete;
    if (content) this.composer?.setContent(content as UserContent[]);
    else if (text !== undefined) this.composer?.setContent([{ type: 'input_text', text }]);
    composer.choose({
      ...(reply === undefined ? {} : { quote: reply || null }),
      ...(selectedToolId === undefined ? {} : { toolId: selectedToolId }),
      ...(selectedModelId === undefined ? {} : { modelId: selectedModelId }),
    });
    if (attachments) composer.uploads.addStored(attachments as Attachment[]);
    if (files) this.composer?.addFiles(files);
  }

  async showHistory(): Promise<void> {
    this.openHistory(true);
    await this.updateComplete;
  }

  async hideHistory(): Promise<void> {
    this.openHistory(false);
    await this.updateComplete;
  }

  async fetchUpdates(): Promise<void> {
    const { chat, history } = this.need;
    await Promise.all([chat.refresh(), this.historyOn ? history.reload() : undefined]);
  }

  // -- life -------------------------------------------------------------------------------------

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.given && !this.ctx) this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    // An element that is only moved is connected again before this runs.
    queueMicrotask(() => {
      if (!this.isConnected) this.end();
    });
  }

  private get need(): Ctx {
    if (!this.ctx) throw new ChatKitError('IntegrationError', 'call setOptions first, on an element that is in the page');
    return this.ctx;
  }

  private get composer(): ComposerPart | null {
    return this.renderRoot.querySelector('ck-composer');
  }

  private get historyOn(): boolean {
    return this.given?.history?.enabled !== false;
  }

  private emit = <K extends keyof Details>(name: K, detail?: Details[K]): void => {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  };

  /** A new server: nothing of the old one counts. */
  private begin(): void {
    this.end();
    const options = this.given!;
    const { url, fetch } = options.api;
    const client = new Client({
      url,
      ...(fetch ? { fetch } : {}),
      locale: () => this.ctx?.locale.tag ?? choose(this.given?.locale),
      log: (name, data) => this.emit('chatkit.log', { name, data }),
    });
    const fail = (error: unknown): void => this.emit('chatkit.error', { error: asError(error) });
    const chat = new Chat(client, {
      emit: (name, detail) => this.passOn(name as keyof Details, detail),
      tool: () => this.given?.onClientTool,
    });
    const history = new History(client, fail);
    const uploads = new Uploads(client, () => this.given?.api.uploadStrategy, () => this.given?.composer?.attachments, fail);
    const composer = new Composer(uploads, (toolId) => this.emit('chatkit.tool.change', { toolId }));
    this.cleanup = [chat.subscribe(this.redraw), history.subscribe(this.redraw), () => chat.stop()];
    this.ctx = {
      options,
      locale: ENGLISH,
      chat,
      history,
      composer,
      images: policy(url, null),
      emit: this.emit as Ctx['emit'],
      fail: (error, say) => {
        fail(error);
        if (say) this.note(asError(error).message);
      },
      announce: (text) => this.announce(text),
      copy: (text) => void this.copy(text),
      openHistory: (open) => this.openHistory(open),
      runAction: (action, item) => this.runAction(action, item),
      clickEntity: (entity: Entity) => this.given?.entities?.onClick?.(entity),
    };
    this.listenToTabs(url);
    this.configure(null);
    if (this.historyOn) void history.reload();
    const first = options.initialThread ?? null;
    void chat.open(first).then(() => this.afterLoad(first));
    this.redraw();
  }

  private end(): void {
    for (const undo of this.cleanup.splice(0)) undo();
    this.tabs?.close();
    this.tabs = null;
    this.ctx = null;
  }

  private configure(before: Options | null): void {
    const options = this.given!;
    const theme = themeOf(options.theme);
    apply(this.style, theme);
    loadFonts(theme);
    this.setAttribute('role', 'region');
    this.need.composer.configure(options.composer ?? {});
    this.ctx = { ...this.need, options };
    const tag = choose(options.locale);
    this.speak(this.ctx.locale);
    if (this.ctx.locale.tag !== tag)
      void load(tag).then((locale: Locale) => {
        if (!this.ctx || choose(this.given?.locale) !== tag) return;
        this.ctx = { ...this.ctx, locale };
        this.speak(locale);
        if (!this.readied) this.ready();
      });
    else if (!this.readied) this.ready();
    const thread = options.initialThread ?? null;
    if (before && thread !== (before.initialThread ?? null)) void this.ctx.chat.open(thread);
  }

  private speak(locale: Locale): void {
    this.lang = locale.spoken;
    this.dir = locale.direction;
    this.setAttribute('aria-label', this.given?.frameTitle ?? locale.t('chat'));
  }

  private ready(): void {
    this.readied = true;
    void this.updateComplete.then(() => this.emit('chatkit.ready'));
  }

  /** After a reload in the middle of an answer: see what the server still makes of it. */
  private afterLoad(threadId: string | null): void {
    try {
      if (threadId && sessionStorage.getItem(RUNNING) === threadId) void this.ctx?.chat.watch();
      sessionStorage.removeItem(RUNNING);
    } catch {
      // a page without storage
    }
  }

  private remember(threadId: string | null): void {
    try {
      if (threadId) sessionStorage.setItem(RUNNING, threadId);
      else sessionStorage.removeItem(RUNNING);
    } catch {
      // a page without storage
    }
  }

  private listenToTabs(url: string): void {
    const tabs = (this.tabs = new BroadcastChannel(`chatkit-asgi:${new URL(url, document.baseURI).href}`));
    tabs.onmessage = ({ data }: MessageEvent<{ threadId: string | null }>) => {
      const { chat, history } = this.ctx ?? {};
      if (chat && chat.state.threadId === data.threadId) void chat.refresh().catch(() => {});
      if (history?.state.loaded) void history.reload();
    };
  }

  private passOn(name: keyof Details, detail: unknown): void {
    const { chat, history } = this.ctx ?? {};
    const threadId = chat?.state.threadId ?? null;
    if (name === 'chatkit.thread.change' && chat?.state.running) this.remember(threadId);
    if (name === 'chatkit.response.start') {
      this.remember(threadId);
      this.announce(this.need.locale.t('answering'));
    }
    this.emit(name, detail as Details[typeof name]);
    if (name === 'chatkit.response.end' && chat) {
      this.remember(null);
      this.tabs?.postMessage({ threadId });
      if (this.historyOn) void history?.reload();
      const last = chat.state.items.at(-1);
      const said = chat.state.error ? '' : last?.type === 'assistant_message' ? textOf(last) : this.need.locale.t('answered');
      this.announce(said);
    }
  }

  private async runAction(action: ActionConfig, item: WidgetItem | null): Promise<void> {
    const { type, payload, handler, streaming } = action;
    if (handler === 'client') {
      const onAction = this.given?.widgets?.onAction;
      const plain = { type, ...(payload === undefined ? {} : { payload: payload as Record<string, unknown> }) };
      await onAction?.(plain, { id: item?.id ?? '', widget: item?.widget as never });
      return;
    }
    await this.need.chat.act({ type, ...(payload === undefined ? {} : { payload }) }, item?.id ?? null, streaming !== false);
  }

  private note(message: string): void {
    this.ctx?.chat.note({ type: 'notice', level: 'danger', message });
  }

  private announce(text: string): void {
    this.live = text.slice(0, 2000);
    this.redraw();
  }

  private async copy(text: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.announce(this.need.locale.t('copied'));
    } catch (error) {
      this.need.fail(error, true);
    }
  }

  private openHistory(open: boolean): void {
    if (open === this.historyOpen || (open && !this.historyOn)) return;
    this.historyOpen = open;
    if (open) {
      void import('./view/history'); // defines the part
      void this.ctx?.history.reload();
    }
    if (!open) void this.updateComplete.then(() => this.composer?.focusEditor());
    this.emit(open ? 'chatkit.history.open' : 'chatkit.history.close');
  }

  // -- drawing ----------------------------------------------------------------------------------

  /** Once a frame, however many events came; a hidden tab has no frames and is drawn at once. */
  private redraw = (): void => {
    if (document.hidden) return this.requestUpdate();
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.requestUpdate();
    });
  };

  protected override willUpdate(): void {
    const { ctx } = this;
    if (!ctx) return;
    const domains = ctx.chat.state.thread?.allowed_image_domains;
    const key = JSON.stringify(domains ?? null);
    if (key === this.domains) return;
    this.domains = key;
    this.ctx = { ...ctx, images: policy(ctx.options.api.url, domains) };
  }

  protected override render(): TemplateResult | typeof nothing {
    const { ctx } = this;
    if (!ctx) return nothing;
    const { state } = ctx.chat;
    const empty = state.threadId === null && !state.draft && !state.items.length && !state.running;
    return html`<div
      class="shell"
      @click=${this.clicked}
      @ck-sources=${(event: CustomEvent<PopoverRequest>) => this.renderRoot.querySelector<PopoverPart>('ck-popover')?.show(event.detail)}
      @ck-focus=${() => this.composer?.focusEditor()}
      @dragover=${this.dragged}
      @dragleave=${this.dragged}
      @drop=${this.dragged}
    >
      ${header(ctx, state.thread?.title ?? null, this.historyOpen)}
      ${this.historyOpen ? html`<ck-history .ctx=${ctx} .state=${ctx.history.state}></ck-history>` : nothing}
      <div class="main" ?inert=${this.historyOpen}>
        ${empty ? startScreen(ctx) : html`<ck-thread .ctx=${ctx} .state=${state}></ck-thread>`}
        ${notices(ctx, state.notices)}
        <div class="foot"><ck-composer .ctx=${ctx} .state=${state}></ck-composer></div>
      </div>
      <ck-popover .ctx=${ctx}></ck-popover>
      <div class="hidden" aria-live="polite">${this.live}</div>
    </div>`;
  }

  protected override updated(_: PropertyValues): void {
    this.toggleAttribute('data-running', this.ctx?.chat.state.running ?? false);
  }

  /** Clicks inside texts, whose nodes have no listeners of their own. */
  private clicked = (event: Event): void => {
    const target = event.target as HTMLElement;
    const href = target.closest?.('a[href]')?.getAttribute('href') ?? '';
    if (/^chatkit-link:/i.test(href)) {
      event.preventDefault();
      const detail = deeplink(href);
      if (detail) this.emit('chatkit.deeplink', detail);
    }
    const copy = target.closest?.('[data-copy]');
    if (copy) void this.copy(copy.closest('.code')?.querySelector('pre')?.textContent ?? '');
    const blocked = target.closest<HTMLElement>('button[data-image]');
    if (blocked) {
      const image = document.createElement('img');
      image.referrerPolicy = 'no-referrer';
      image.alt = blocked.dataset['alt'] ?? '';
      image.src = blocked.dataset['image'] ?? '';
      blocked.replaceWith(image);
    }
  };

  private dragged = (event: DragEvent): void => {
    const composer = this.composer;
    const files = event.dataTransfer?.types.includes('Files');
    if (!files || !composer || !this.given?.composer?.attachments?.enabled) return;
    event.preventDefault();
    composer.dropping = event.type === 'dragover';
    if (event.type === 'drop') composer.addFiles([...(event.dataTransfer?.files ?? [])]);
  };
}
