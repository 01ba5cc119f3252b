/** The client against servers that misbehave. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../src/wire/client';
import { eventsOf } from '../src/wire/sse';
import { normalize } from '../src/state/options';
import type { StreamEvent } from '../src/wire/types';

type Answer = Response | Error;

function serve(...answers: Answer[]): { client: Client; requests: { body: any; headers: Headers }[] } {
  const requests: { body: any; headers: Headers }[] = [];
  const client = new Client({
    url: '/chatkit',
    locale: () => 'de-DE',
    delays: [0, 0],
    fetch: async (_, init) => {
      requests.push({ body: JSON.parse(String(init?.body)), headers: new Headers(init?.headers) });
      const answer = answers.shift();
      if (!answer) throw new Error('nobody expected this request');
      if (answer instanceof Error) throw answer;
      return answer;
    },
  });
  return { client, requests };
}

function stream(...chunks: string[]): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}

async function all(events: AsyncIterable<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const event of events) found.push(event);
  return found;
}

const input = { content: [], attachments: [], inference_options: {} };
const open = (client: Client): AsyncGenerator<StreamEvent> =>
  client.stream('threads.create', { input }, new AbortController().signal);

test('frames may be cut anywhere, end in CRLF, and have comments between them', async () => {
  const text = ': keep-alive\n\ndata: {"type":"a","text":"ü"}\r\n\r\nid: 7\ndata:{"type":"b"}\n\ndata: cut off';
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size < 9; size++) {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
        controller.close();
      },
    });
    assert.deepEqual(await all(eventsOf(body)), ['{"type":"a","text":"ü"}', '{"type":"b"}']);
  }
});

test('a spoilt answer is asked for again under the same key', async () => {
  const { client, requests } = serve(
    new Response('bad gateway', { status: 502 }),
    new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    stream('data: {"type":"notice"}\n\n'),
  );
  // A 200 of another kind is a proxy's page: not repeated, because nothing says what the server did.
  await assert.rejects(all(open(client)), { name: 'StreamError' });
  assert.equal(requests.length, 2);
  const keys = requests.map(({ headers }) => headers.get('idempotency-key'));
  assert.equal(new Set(keys).size, 1);
  assert.ok(keys[0]);
  assert.equal(requests[0]!.headers.get('accept-language'), 'de-DE');
});

test('a message whose fate is unknown is not sent a second time', async () => {
  const { client, requests } = serve(new TypeError('network'));
  await assert.rejects(all(open(client)), { name: 'StreamError', code: 'unreachable' });
  assert.equal(requests.length, 1);
});

test('a refusal has its text, code and request id, and is final', async () => {
  const body = { message: 'No such thread.', error: { code: 'not_found' } };
  const { client, requests } = serve(
    new Response(JSON.stringify(body), { status: 404, headers: { 'x-request-id': 'req_1' } }),
  );
  await assert.rejects(client.request('threads.get_by_id', { thread_id: 't' }), {
    message: 'No such thread.',
    status: 404,
    code: 'not_found',
    requestId: 'req_1',
  });
  assert.equal(requests.length, 1);
});

test('a server whose CORS rules know only the content type gets no other header of ours', async () => {
  const page = (): Response => new Response('{"data":[],"has_more":false}', { headers: { 'content-type': 'application/json' } });
  const { client, requests } = serve(new TypeError('CORS'), page(), page(), stream('data: {"type":"notice"}\n\n'));
  await client.request('threads.list', {});
  assert.deepEqual(await all(open(client)), [{ type: 'notice' }]);
  assert.equal(requests.at(-1)!.headers.get('idempotency-key'), null);
  assert.equal(requests.at(-1)!.headers.get('chatkit-frame-instance-id'), null);
});

test('an event that is not JSON ends the stream with an error of its own', async () => {
  const { client } = serve(stream('data: {"type":"notice"}\n\ndata: {oops\n\n'));
  await assert.rejects(all(open(client)), { name: 'StreamEventParsingError' });
});

test("the guide's older names become today's", () => {
  const own = async (): Promise<Response> => new Response();
  const { options, unknown } = normalize({
    apiURL: '/chatkit',
    fetch: own,
    header: false,
    newThreadView: { greeting: 'Hi', starterPrompts: [{ name: 'A', prompt: 'a' }] },
    messages: { feedback: true },
    clientTools: { ping: (params: object) => ({ pong: params }) },
    composer: { attachments: { enabled: true, uploadStrategy: { type: 'direct', uploadUrl: '/up' } } },
  });
  assert.equal(options.api.url, '/chatkit');
  assert.equal(options.api.fetch, own);
  assert.deepEqual(options.api.uploadStrategy, { type: 'direct', uploadUrl: '/up' });
  assert.deepEqual(options.header, { enabled: false });
  assert.deepEqual(options.startScreen, { greeting: 'Hi', prompts: [{ label: 'A', prompt: 'a' }] });
  assert.deepEqual(options.threadItemActions, { feedback: true });
  assert.deepEqual(options.onClientTool?.({ name: 'ping', params: { a: 1 } }), { pong: { a: 1 } });
  assert.throws(() => options.onClientTool?.({ name: 'toString', params: {} }), /no client tool toString/);
  assert.deepEqual(unknown, []);
});

test('options that cannot work are refused by their path, unknown ones are named', () => {
  assert.throws(() => normalize(null), /options must be an object/);
  assert.throws(() => normalize({}), /api must be an object/);
  assert.throws(() => normalize({ api: { getClientSecret: () => '' } }), /needs api.url/);
  assert.throws(() => normalize({ api: { url: '/' }, startScreen: { prompts: {} } }), /startScreen.prompts must be an array/);
  assert.deepEqual(normalize({ api: { url: '/' }, colour: 1, composer: { submit: 1 } }).unknown, ['colour', 'composer.submit']);
});
