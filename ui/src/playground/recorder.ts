/** A fetch that looks on: every exchange with the server, its frames and when each came. */

export interface Frame {
  /** Milliseconds since the request. */
  at: number;
  data: string;
}

export interface Exchange {
  type: string;
  request: unknown;
  /** Milliseconds since the page was opened. */
  at: number;
  status: number;
  /** Milliseconds until the headers, and until the end; null while it runs. */
  headers: number | null;
  took: number | null;
  contentType: string;
  requestId: string;
  frames: Frame[];
  body: string;
  error: string;
}

export class Recorder {
  exchanges: Exchange[] = [];

  constructor(
    private readonly changed: () => void,
    /** Answers instead of the server, when a recording is played. */
    public source: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  readonly fetch: typeof fetch = async (input, init) => {
    const begun = performance.now();
    const request = json(typeof init?.body === 'string' ? init.body : '');
    const exchange: Exchange = {
      type: (request as { type?: string } | null)?.type ?? `${init?.method ?? 'GET'} ${String(input)}`,
      request,
      at: begun,
      status: 0,
      headers: null,
      took: null,
      contentType: '',
      requestId: '',
      frames: [],
      body: '',
      error: '',
    };
    this.exchanges = [...this.exchanges.slice(-199), exchange];
    this.changed();
    const since = (): number => performance.now() - begun;
    try {
      const response = await this.source(input, init);
      Object.assign(exchange, {
        status: response.status,
        headers: since(),
        contentType: response.headers.get('content-type') ?? '',
        requestId: response.headers.get('x-request-id') ?? '',
      });
      this.changed();
      if (!response.body) {
        exchange.took = since();
        return response;
      }
      const [own, page] = response.body.tee();
      void this.watch(exchange, own, since);
      return new Response(page, { status: response.status, statusText: response.statusText, headers: response.headers });
    } catch (error) {
      exchange.error = String(error);
      exchange.took = since();
      this.changed();
      throw error;
    }
  };

  clear(): void {
    this.exchanges = [];
    this.changed();
  }

  private async watch(exchange: Exchange, body: ReadableStream<Uint8Array>, since: () => number): Promise<void> {
    const streams = exchange.contentType.startsWith('text/event-stream');
    const reader = body.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
    let rest = '';
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (!streams) {
          exchange.body += value;
          continue;
        }
        const frames = (rest + value).split(/\r?\n\r?\n/);
        rest = frames.pop() ?? '';
        for (const frame of frames) exchange.frames.push({ at: since(), data: frame.replace(/^data: ?/, '') });
        this.changed();
      }
    } catch (error) {
      exchange.error = String(error);
    }
    exchange.took = since();
    this.changed();
  }
}

export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A fetch that answers as the recording did, at its pace: each request type's answers in their order. */
export function replay(recording: Exchange[], speed: () => number): typeof fetch {
  const left = [...recording];
  return async (_, init) => {
    const request = json(String(init?.body ?? '')) as { type?: string } | null;
    const index = left.findIndex((each) => each.type === request?.type);
    const found = left[index];
    if (!found) return absent(request?.type ?? '');
    left.splice(index, 1);
    if (!found.contentType.startsWith('text/event-stream'))
      return new Response(found.body || '{}', { status: found.status || 200, headers: { 'content-type': found.contentType } });
    const stream = new ReadableStream<Uint8Array>({
      async start(controller) {
        let before = found.headers ?? 0;
        for (const { at, data } of found.frames) {
          const pace = speed();
          if (pace) await new Promise((resolve) => setTimeout(resolve, (at - before) / pace));
          before = at;
          if (init?.signal?.aborted) break;
          controller.enqueue(new TextEncoder().encode(data.startsWith(':') ? `${data}\n\n` : `data: ${data}\n\n`));
        }
        controller.close();
      },
    });
    return new Response(stream, { status: found.status, headers: { 'content-type': found.contentType } });
  };
}

function absent(type: string): Response {
  const body = /\.list$/.test(type) ? { data: [], has_more: false } : { message: `The recording has no further ${type}.` };
  const status = 'data' in body ? 200 : 404;
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}
