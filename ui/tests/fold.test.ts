/** The fold against what our own server sent and what it stored: tests/browser/test_module.py makes the recording. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { applyUpdate, close, EMPTY, fold } from '../src/state/fold';
import type { Item, StreamEvent, WidgetNode } from '../src/wire/types';

interface Recording {
  scene: string;
  events: StreamEvent[];
  /** The thread as it was read afterwards. */
  stored: Item[];
}

const path = process.env['RECORDINGS'];
const recordings: Recording[] = path ? JSON.parse(readFileSync(path, 'utf8')) : [];

for (const { scene, events, stored } of recordings) {
  test(`what ${scene} showed is what the server stored`, () => {
    let state = EMPTY;
    for (const event of events) {
      const before = JSON.stringify(state);
      const next = fold(state, event);
      assert.equal(JSON.stringify(state), before, `${event.type} changed the state it was given`);
      state = next;
    }
    assert.deepEqual(JSON.parse(JSON.stringify(close(state).items.map(bare))), stored.map(bare));
    assert.equal(state.open.size, 0);
  });
}

/** The progress of an image is told by its updates only. */
function bare(item: Item): Item {
  const { progress: _, ...rest } = item as Item & { progress?: unknown };
  return rest as Item;
}

const base = { id: 'i', thread_id: 't', created_at: '2026-03-14T09:26:53Z' };

test('an item keeps its object unless it changed', () => {
  const items: Item[] = ['a', 'b', 'c'].map((id) => ({ ...base, id, type: 'end_of_turn' }));
  const state = { ...EMPTY, items };
  const next = fold(state, { type: 'thread.item.replaced', item: { ...items[1]! } });
  assert.equal(next.items[0], items[0]);
  assert.notEqual(next.items[1], items[1]);
  assert.equal(next.items[2], items[2]);
});

test('a delta finds its component inside a Transition with one child', () => {
  const widget: WidgetNode = {
    type: 'Card',
    children: [{ type: 'Transition', children: { type: 'Text', id: 'x', value: 'a' } }],
  };
  const changed = applyUpdate(
    { ...base, type: 'widget', widget },
    { type: 'widget.streaming_text.value_delta', component_id: 'x', delta: 'b', done: false },
  );
  assert.match(JSON.stringify(changed), /"value":"ab","streaming":true/);
});

test('updates for what is not there, or of another kind, change nothing', () => {
  const item: Item = { ...base, type: 'end_of_turn' };
  assert.equal(applyUpdate(item, { type: 'workflow.task.added', task_index: 0, task: { type: 'image' } }), item);
  assert.equal(applyUpdate(item, { type: 'of.tomorrow' } as never), item);
  assert.equal(fold(EMPTY, { type: 'thread.item.updated', item_id: 'no', update: {} as never }), EMPTY);
  assert.equal(fold(EMPTY, { type: 'of.tomorrow' } as never), EMPTY);
});

test('parts that are missing are filled up, and an annotation goes to its place', () => {
  const item: Item = { ...base, type: 'assistant_message', content: [] };
  const text = applyUpdate(item, { type: 'assistant_message.content_part.text_delta', content_index: 1, delta: 'x' });
  assert.deepEqual(
    text.type === 'assistant_message' && text.content.map((part) => part.text),
    ['', 'x'],
  );
});

test('progress goes when an answer appears, and not when an old item changes', () => {
  const widget: Item = { ...base, type: 'widget', widget: { type: 'Card' } };
  let state = fold(fold(EMPTY, { type: 'thread.item.done', item: widget }), { type: 'progress_update', text: 'p' });
  state = fold(state, { type: 'thread.item.replaced', item: widget });
  assert.equal(state.progress?.text, 'p');
  state = fold(state, { type: 'thread.item.added', item: { ...base, id: 'm', type: 'assistant_message', content: [] } });
  assert.equal(state.progress, null);
});
