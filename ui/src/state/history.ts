/** The list of threads: pages, search by title, rename, delete. Knows no DOM. */
import type { Client } from '../wire/client';
import type { Thread } from '../wire/types';

export interface HistoryState {
  threads: readonly Thread[];
  cursor: string | null;
  loading: boolean;
  loaded: boolean;
  failed: boolean;
  query: string;
}

const PAGE = 40;

export class History {
  state: HistoryState = { threads: [], cursor: null, loading: false, loaded: false, failed: false, query: '' };
  private listeners = new Set<() => void>();
  private asked = 0;

  constructor(
    private readonly client: Client,
    private readonly fail: (error: unknown) => void,
  ) {}

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private set(change: Partial<HistoryState>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  /** Threads whose title has the words that were searched for. */
  get found(): readonly Thread[] {
    const words = this.state.query.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return this.state.threads;
    return this.state.threads.filter((thread) => {
      const title = (thread.title ?? '').toLocaleLowerCase();
      return words.every((word) => title.includes(word));
    });
  }

  async reload(): Promise<void> {
    await this.load(null);
  }

  async more(): Promise<void> {
    if (this.state.cursor && !this.state.loading) await this.load(this.state.cursor);
  }

  /** Search; loads the pages that have not been seen, because the protocol has no search of its own. */
  async search(query: string): Promise<void> {
    this.set({ query });
    while (this.state.query === query && query.trim() && this.state.cursor && !this.state.loading && !this.state.failed)
      await this.more();
  }

  private async load(after: string | null): Promise<void> {
    const asked = ++this.asked;
    this.set({ loading: true, failed: false });
    try {
      const page = await this.client.request('threads.list', { limit: PAGE, order: 'desc', ...(after ? { after } : {}) });
      if (asked !== this.asked) return;
      const known = new Set(after ? this.state.threads.map((thread) => thread.id) : []);
      const fresh = page.data.filter((thread) => !known.has(thread.id));
      this.set({
        threads: after ? [...this.state.threads, ...fresh] : fresh,
        cursor: page.has_more ? (page.after ?? null) : null,
        loaded: true,
      });
    } catch (error) {
      if (asked === this.asked) this.set({ failed: true });
      this.fail(error);
    } finally {
      if (asked === this.asked) this.set({ loading: false });
    }
  }

  async rename(id: string, title: string): Promise<void> {
    const before = this.state.threads;
    this.set({ threads: before.map((thread) => (thread.id === id ? { ...thread, title } : thread)) });
    try {
      await this.client.request('threads.update', { thread_id: id, title });
    } catch (error) {
      this.set({ threads: before });
      throw error;
    }
  }

  async remove(id: string): Promise<void> {
    const before = this.state.threads;
    this.set({ threads: before.filter((thread) => thread.id !== id) });
    try {
      await this.client.request('threads.delete', { thread_id: id });
    } catch (error) {
      this.set({ threads: before });
      throw error;
    }
  }
}
