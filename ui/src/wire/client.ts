/**
 * Requests to the one endpoint. Every request that changes something carries an Idempotency-Key, and is only sent again
 * under the same key; an answer that breaks off is never asked for again by a POST, because a server whose turn ended
 * with the connection would run it a second time: what it stored is read instead.
 */
import { ChatKitError, isAbort } from './errors';
import { eventsOf } from './sse';
import type { Requests, Responses, StreamEvent, StreamType } from './types';

export interface ClientOptions {
  url: string;
  fetch?: typeof fetch;
  locale: () => string;
  /** Told what is tried again, for `chatkit.log`. */
  log?: (name: string, data: Record<string, unknown>) => void;
  /** Milliseconds before attempt 2, 3, ...; their number is how often a request is tried again. */
  delays?: number[];
}

const DELAYS = [800, 1600, 3200, 6400, 10000];
const READS = new Set(['threads.get_by_id', 'threads.list', 'items.list']);
const AGAIN = new Set([408, 429, 500, 502, 503, 504]);

export class Client {
  readonly instance = crypto.randomUUID();
  /** Some servers' CORS rules know no header but the content type: see {@link Client.probe}. */
  private extras = true;

  constructor(readonly options: ClientOptions) {}

  /** One JSON answer. */
  async request<T extends keyof Responses>(type: T, params: Requests[T], signal?: AbortSignal): Promise<Responses[T]> {
    const response = await this.send(type, params, signal);
    const text = await response.text();
    try {
      return JSON.parse(text) as Responses[T];
    } catch {
      throw new ChatKitError('StreamError', `${type}: the server's answer is not JSON`, response.status);
    }
  }

  /** The events of a streamed answer. Throws `StreamError` when it breaks off or was refused; ends when aborted. */
  async *stream<T extends StreamType>(type: T, params: Requests[T], signal: AbortSignal): AsyncGenerator<StreamEvent> {
    try {
      const response = await this.send(type, params, signal);
      if (!response.body) return;
      for await (const data of eventsOf(response.body)) {
        if (signal.aborted) return;
        yield parse(data);
      }
    } catch (error) {
      if (signal.aborted || isAbort(error)) return;
      if (error instanceof ChatKitError) throw error;
      throw new ChatKitError('StreamError', error instanceof Error ? error.message : String(error), 0, 'connection_lost');
    }
  }

  /** The page's own fetch, for uploads too. */
  fetch(url: string, init: RequestInit): Promise<Response> {
    return (this.options.fetch ?? globalThis.fetch.bind(globalThis))(url, init);
  }

  private async send(type: keyof Requests, params: object, signal?: AbortSignal): Promise<Response> {
    const key = READS.has(type) ? undefined : crypto.randomUUID();
    const streams = !(READS.has(type) || isJson(type));
    const body = JSON.stringify({ type, params });
    const delays = this.options.delays ?? DELAYS;
    for (let attempt = 0; ; attempt++) {
      let failure: unknown;
      try {
        const response = await this.post(body, streams, key, signal);
        const kind = response.headers.get('content-type') ?? '';
        if (response.ok && (!streams || kind.startsWith('text/event-stream'))) return response;
        failure = await refusal(type, response);
        if (response.ok || !AGAIN.has(response.status)) throw failure;
      } catch (error) {
        if (isAbort(error) || signal?.aborted || (error instanceof ChatKitError && error !== failure)) throw error;
        if (failure === error) throw error;
        // Whether a message arrived cannot be known, and a turn that lost its reader has ended: the caller looks.
        if (streams) throw new ChatKitError('StreamError', String(error), 0, 'unreachable');
        failure = error;
        if (!key && this.extras && attempt === 0 && (await this.probe(body))) continue;
      }
      const wait = delays[attempt];
      // Without a key that the server can see, only reads are safe to repeat.
      if (wait === undefined || (key && !this.extras)) throw failure;
      this.options.log?.('request.again', { type, attempt: attempt + 2, reason: String(failure) });
      await pause(wait * (0.75 + Math.random() / 2), signal);
    }
  }

  private post(body: string, streams: boolean, key: string | undefined, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      accept: streams ? 'text/event-stream' : 'application/json',
      'accept-language': this.options.locale(),
    };
    if (this.extras) {
      headers['chatkit-frame-instance-id'] = this.instance;
      if (key) headers['idempotency-key'] = key;
    }
    return this.fetch(this.options.url, { method: 'POST', headers, body, signal: signal ?? null });
  }

  /** Whether a read that failed works without our own headers: then they are not sent to this server any more. */
  private async probe(body: string): Promise<boolean> {
    this.extras = false;
    try {
      return (await this.post(body, false, undefined)).ok;
    } catch {
      this.extras = true;
      return false;
    }
  }
}

const STREAMS = new Set<string>([
  'threads.create',
  'threads.add_user_message',
  'threads.add_client_tool_output',
  'threads.add_structured_input',
  'threads.retry_after_item',
  'threads.custom_action',
] satisfies StreamType[]);

function isJson(type: string): boolean {
  return !STREAMS.has(type);
}

function parse(data: string): StreamEvent {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new ChatKitError('StreamEventParsingError', 'an event of the stream is not JSON');
  }
  if (typeof value !== 'object' || value === null || typeof (value as StreamEvent).type !== 'string')
    throw new ChatKitError('StreamEventParsingError', 'an event of the stream has no type');
  return value as StreamEvent;
}

/** What an answer other than the one that was asked for says. */
export async function refusal(type: string, response: Response): Promise<ChatKitError> {
  let message = response.ok ? `answered with ${response.headers.get('content-type')}` : response.statusText;
  let code = '';
  try {
    const body = (await response.json()) as { message?: unknown; error?: { code?: unknown } };
    if (typeof body.message === 'string') message = body.message;
    if (typeof body.error?.code === 'string') code = body.error.code;
  } catch {
    // a proxy's page; its status is all it says
  }
  const id = response.headers.get('x-request-id') ?? '';
  return new ChatKitError('StreamError', message || `${type}: HTTP ${response.status}`, response.status, code, id);
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(new DOMException('stopped', 'AbortError'));
    });
  });
}
