/** A conversation, without a page around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chat } from '../src/state/chat';
import { Client } from '../src/wire/client';

test('a message that is under way shows no preview, which may lead nowhere until it is stored', async () => {
  let answer = (_: Response): void => {};
  const client = new Client({
    url: '/chatkit',
    locale: () => 'en',
    delays: [],
    fetch: () => new Promise((resolve) => (answer = resolve)),
  });
  const chat = new Chat(client, { emit: () => {}, tool: () => undefined, patience: [] });
  const picture = { id: 'atc_1', type: 'image', name: 'a.png', mime_type: 'image/png', preview_url: 'https://x/p' } as const;
  const sent = chat.send({ content: [{ type: 'input_text', text: 'Look' }], attachments: [picture] });
  while (!chat.state.draft) await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(chat.state.draft.attachments, [{ ...picture, preview_url: null }]);
  answer(new Response('{"message":"no"}', { status: 400 }));
  await sent;
});
