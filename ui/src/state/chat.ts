/**
 * One conversation: loads a thread, sends what a person does, folds what comes back. Knows no DOM; whoever draws it
 * subscribes and reads {@link Chat.state}.
 */
import type { Client } from '../wire/client';
import { asError, ChatKitError } from '../wire/errors';
import type {
  Answer,
  Attachment,
  InferenceOptions,
  Item,
  NoticeEvent,
  Obj,
  Requests,
  StreamEvent,
  StreamType,
  Thread,
  UserContent,
  UserMessage,
} from '../wire/types';
import { close, EMPTY, fold, type Conversation } from './fold';
import { answerAfter, lastUserMessage, merged, pendingToolCall } from './items';

export interface Outgoing {
  content: UserContent[];
  attachments?: Attachment[];
  quote?: string | null;
  inference?: InferenceOptions;
  newThread?: boolean;
}

export interface ChatState extends Conversation {
  threadId: string | null;
  loading: boolean;
  /** Where older items begin; null when all are here. */
  cursor: string | null;
  loadingOlder: boolean;
  running: boolean;
  /** A message on its way, until the server has stored it. */
  draft: UserMessage | null;
  /** Items the user has judged, by the id of the first of them. */
  feedback: Readonly<Record<string, 'positive' | 'negative'>>;
}

export interface Surroundings {
  emit(name: string, detail?: unknown): void;
  /** Runs a client tool; undefined when the page has none. */
  tool(): ((call: { name: string; params: Obj }) => unknown) | undefined;
  /** Milliseconds to wait before looking at what a server stored of a broken answer. */
  patience?: number[];
}

const PAGE = 50;
const NEW: ChatState = {
  ...EMPTY,
  threadId: null,
  loading: false,
  cursor: null,
  loadingOlder: false,
  running: false,
  draft: null,
  feedback: {},
};

export class Chat {
  state: ChatState = NEW;
  private listeners = new Set<() => void>();
  private abort: AbortController | null = null;
  /** Counts changes of thread, so that what was asked for an earlier one is dropped. */
  private visit = 0;
  /** The newest message of the user before the one that is on its way. */
  private answeredBefore: string | undefined;

  constructor(
    readonly client: Client,
    private readonly page: Surroundings,
  ) {}

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private set(change: Partial<ChatState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  // -- threads ----------------------------------------------------------------------------------

  /** Show a thread, or the new-thread view. A running answer is left alone by the server's own rules: it is stopped. */
  async open(threadId: string | null): Promise<void> {
    this.stop();
    const visit = ++this.visit;
    const changed = threadId !== this.state.threadId;
    this.set({ ...NEW, threadId, loading: threadId !== null });
    if (changed) this.page.emit('chatkit.thread.change', { threadId });
    if (threadId === null) return;
    this.page.emit('chatkit.thread.load.start', { threadId });
    try {
      const { thread, items, cursor } = await this.newest(threadId);
      if (visit === this.visit) this.set({ thread, items, cursor, loading: false });
    } catch (error) {
      if (visit !== this.visit) return;
      const gone = error instanceof ChatKitError && error.status === 404;
      this.set({ loading: false, error: { type: 'error', code: gone ? 'not_found' : 'load_failed', allow_retry: !gone } });
      const failure = asError(error);
      failure.name = 'InitialThreadLoadError';
      this.fail(failure);
    } finally {
      if (visit === this.visit) this.page.emit('chatkit.thread.load.end', { threadId });
    }
  }

  /** Read the newest items again; what did not change stays the same object. */
  async refresh(): Promise<void> {
    const { threadId } = this.state;
    if (threadId === null || this.state.running || this.state.loading) return;
    const visit = this.visit;
    const { thread, items, cursor } = await this.newest(threadId);
    if (visit !== this.visit || this.state.running) return;
    const next = merged(this.state.items, items);
    this.set({ thread, items: next.items, cursor: next.kept ? this.state.cursor : cursor });
  }

  /** Read the page before the oldest item on screen. */
  async loadOlder(): Promise<void> {
    const { threadId, cursor, loadingOlder } = this.state;
    if (threadId === null || cursor === null || loadingOlder) return;
    const visit = this.visit;
    this.set({ loadingOlder: true });
    try {
      const page = await this.client.request('items.list', { thread_id: threadId, limit: PAGE, order: 'desc', after: cursor });
      if (visit !== this.visit) return;
      const known = new Set(this.state.items.map((item) => item.id));
      const older = page.data.reverse().filter((item) => !known.has(item.id));
      this.set({ items: [...older, ...this.state.items], cursor: page.has_more ? (page.after ?? null) : null });
    } catch (error) {
      this.fail(error);
    } finally {
      if (visit === this.visit) this.set({ loadingOlder: false });
    }
  }

  /**
   * The thread and its newest items, oldest first. `threads.get_by_id` gives the newest page here and the oldest one on
   * other servers, so its items count only when they are all there are.
   */
  private async newest(threadId: string): Promise<{ thread: Thread; items: Item[]; cursor: string | null }> {
    const { items: page, ...thread } = await this.client.request('threads.get_by_id', { thread_id: threadId });
    if (!page.has_more) return { thread, items: page.data, cursor: null };
    const items: Item[] = [];
    let after: string | null = null;
    do {
      // A server that filters hidden items after paging may send a page with nothing in it.
      const newest: Requests['items.list'] = { thread_id: threadId, limit: PAGE, order: 'desc' };
      if (after) newest.after = after;
      const found = await this.client.request('items.list', newest);
      items.unshift(...found.data.reverse());
      after = found.has_more ? (found.after ?? null) : null;
    } while (after && items.length < PAGE / 2);
    return { thread, items, cursor: after };
  }

  // -- what a person does -----------------------------------------------------------------------

  async send(message: Outgoing): Promise<void> {
    this.free();
    if (message.newThread && this.state.threadId !== null) await this.open(null);
    const input = {
      content: message.content,
      attachments: (message.attachments ?? []).map((each) => each.id),
      ...(message.quote ? { quoted_text: message.quote } : {}),
      inference_options: message.inference ?? {},
    };
    const draft: UserMessage = {
      type: 'user_message',
      id: `draft-${crypto.randomUUID()}`,
      thread_id: this.state.threadId ?? '',
      created_at: new Date().toISOString(),
      content: message.content,
      // A file that went straight to a bucket has no preview before the message is stored; a picture that fails stays so.
      attachments: (message.attachments ?? []).map((each) => ({ ...each, preview_url: null })),
      quoted_text: message.quote ?? null,
      inference_options: message.inference ?? {},
    };
    this.answeredBefore = lastUserMessage(this.state.items)?.id;
    this.set({ draft });
    const threadId = this.state.threadId;
    if (threadId === null) await this.run('threads.create', { input });
    else await this.run('threads.add_user_message', { thread_id: threadId, input });
  }

  /** Answer the last message once more; or send again what never arrived. */
  async retry(userItemId?: string): Promise<void> {
    this.free();
    const { draft, threadId } = this.state;
    if (draft && !userItemId) {
      this.set({ draft: null, error: null });
      const { content, attachments = [], quoted_text: quote = null, inference_options: inference = {} } = draft;
      return this.send({ content, attachments, quote, inference });
    }
    const id = userItemId ?? lastUserMessage(this.state.items)?.id;
    if (threadId === null) return;
    if (!id) return this.open(threadId);
    this.set({ items: this.state.items.slice(0, this.state.items.findIndex((item) => item.id === id) + 1) });
    await this.run('threads.retry_after_item', { thread_id: threadId, item_id: id });
  }

  stop(): void {
    this.abort?.abort();
  }

  /** A widget's action on the server: a turn, or one answer without events when `streaming` is false. */
  async act(action: { type: string; payload?: unknown }, itemId: string | null, streaming: boolean): Promise<void> {
    const { threadId } = this.state;
    if (threadId === null) throw new ChatKitError('WidgetItemError', 'an action needs a thread; none is open');
    const params = { thread_id: threadId, item_id: itemId, action };
    if (streaming) {
      this.free();
      return this.run('threads.custom_action', params);
    }
    const { updated_item } = await this.client.request('threads.sync_custom_action', params);
    if (updated_item && this.state.threadId === threadId) this.receive({ type: 'thread.item.replaced', item: updated_item });
  }

  async answer(itemId: string, status: 'answered' | 'skipped', answers: Record<string, Answer>): Promise<void> {
    this.free();
    const { threadId } = this.state;
    if (threadId !== null)
      await this.run('threads.add_structured_input', { thread_id: threadId, item_id: itemId, input: { status, answers } });
  }

  async judge(userItemId: string, kind: 'positive' | 'negative'): Promise<void> {
    const { threadId, feedback } = this.state;
    const items = answerAfter(this.state.items, userItemId).map((item) => item.id);
    if (threadId === null || !items.length || feedback[userItemId] === kind) return;
    this.set({ feedback: { ...feedback, [userItemId]: kind } });
    try {
      await this.client.request('items.feedback', { thread_id: threadId, item_ids: items, kind });
    } catch (error) {
      this.set({ feedback });
      throw error;
    }
  }

  /** Draw again: something beside the state has changed, such as an icon that arrived. */
  touch(): void {
    this.set({});
  }

  /** A banner of the page's side. */
  note(notice: NoticeEvent): void {
    this.set(fold(this.state, notice));
  }

  dismiss(key: number): void {
    this.set({ notices: this.state.notices.filter((notice) => notice.key !== key) });
  }

  /** A rename made in the history. */
  renamed(threadId: string, title: string): void {
    if (this.state.thread?.id === threadId) this.set({ thread: { ...this.state.thread, title } });
  }

  // -- a turn -----------------------------------------------------------------------------------

  private free(): void {
    if (this.state.running) throw new ChatKitError('IntegrationError', 'a response is being streamed');
    if (this.state.loading) throw new ChatKitError('IntegrationError', 'the thread is being loaded');
  }

  private async run<T extends StreamType>(type: T, params: Requests[T]): Promise<void> {
    const visit = this.visit;
    const abort = (this.abort = new AbortController());
    const live = (): boolean => visit === this.visit && this.abort === abort;
    this.set({ running: true, error: null, notices: [], allowCancel: true });
    this.page.emit('chatkit.response.start');
    let broken: unknown = null;
    try {
      await this.consume(type, params, abort.signal, live);
    } catch (error) {
      broken = error;
    }
    if (!live()) return this.page.emit('chatkit.response.end');
    this.abort = null;
    this.set({ ...close(this.state), running: false });
    this.page.emit('chatkit.response.end');
    if (broken) this.broken(broken);
    if (broken || abort.signal.aborted || this.state.error) await this.settle();
  }

  /** Events until the end; the page's tools are run in between, and their results open the next stream. */
  private async consume<T extends StreamType>(
    type: T,
    params: Requests[T],
    signal: AbortSignal,
    live: () => boolean,
  ): Promise<void> {
    for await (const event of this.client.stream(type, params, signal)) {
      if (!live()) return;
      this.receive(event);
    }
    const call = pendingToolCall(this.state.items);
    const { threadId } = this.state;
    if (!call || !threadId || signal.aborted || !live()) return;
    const result = await this.callTool(call.name, call.arguments);
    if (signal.aborted || !live()) return;
    this.receive({ type: 'thread.item.replaced', item: { ...call, status: 'completed', output: result } });
    await this.consume('threads.add_client_tool_output', { thread_id: threadId, result }, signal, live);
  }

  private async callTool(name: string, params: Obj): Promise<unknown> {
    const tool = this.page.tool();
    try {
      if (!tool) throw new ChatKitError('IntegrationError', `this page has no client tool; ${name} was called`);
      return (await tool({ name, params })) ?? null;
    } catch (error) {
      this.fail(error);
      return { error: asError(error).message };
    }
  }

  private receive(event: StreamEvent): void {
    if (event.type === 'client_effect') {
      this.page.emit('chatkit.effect', { name: event.name, data: event.data ?? {} });
      return;
    }
    if (event.type === 'thread.created' && this.state.threadId !== event.thread.id) {
      this.set({ threadId: event.thread.id });
      this.page.emit('chatkit.thread.change', { threadId: event.thread.id });
    }
    if (event.type === 'error') this.fail(new ChatKitError('StreamError', event.message ?? event.code, 0, event.code));
    const stored = 'item' in event && event.item?.type === 'user_message';
    this.set({ ...(fold(this.state, event) as ChatState), ...(stored ? { draft: null } : {}) });
  }

  private broken(error: unknown): void {
    const { status, code } = error instanceof ChatKitError ? error : { status: 0, code: '' };
    const refused = status >= 400 && status < 500;
    this.set({
      error: {
        type: 'error',
        code: refused ? 'custom' : code === 'unreachable' || code === 'connection_lost' ? code : 'stream.error',
        message: refused ? asError(error).message : null,
        allow_retry: !refused || status === 429 || status === 409,
      },
    });
    this.fail(error);
  }

  /** After an answer that did not end well: show what the server has kept of it, until it says the same twice. */
  private async settle(): Promise<void> {
    const visit = this.visit;
    let before = '';
    for (const wait of this.page.patience ?? [150, 600, 1500, 3000]) {
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (visit !== this.visit || this.state.running || this.state.threadId === null) return;
      try {
        await this.refresh();
      } catch {
        continue; // the network is still away; the error is on screen already
      }
      const draft = this.state.draft;
      const last = lastUserMessage(this.state.items);
      // The message that seemed lost has arrived: what can be retried is its answer.
      if (draft && last && last.id !== this.answeredBefore) this.set({ draft: null });
      const now = JSON.stringify(this.state.items.slice(-3));
      if (now === before) return;
      before = now;
    }
  }

  /** Watch a thread whose answer may still be running on the server, after the page was loaded again. */
  async watch(): Promise<void> {
    await this.settle();
  }

  private fail(error: unknown): void {
    this.page.emit('chatkit.error', { error: asError(error) });
  }
}
