/** Events, folded into the thread that a person sees. Pure: an item that changed is a new object, all others stay. */
import type { ErrorEvent, Item, NoticeEvent, ProgressEvent, StreamEvent, Thread, Update, WidgetNode } from '../wire/types';

export interface Notice extends NoticeEvent {
  key: number;
}

export interface Conversation {
  thread: Thread | null;
  items: readonly Item[];
  /** Ids of the items that were added and are not done. */
  open: ReadonlySet<string>;
  progress: ProgressEvent | null;
  notices: readonly Notice[];
  error: ErrorEvent | null;
  allowCancel: boolean;
}

export const EMPTY: Conversation = {
  thread: null,
  items: [],
  open: new Set(),
  progress: null,
  notices: [],
  error: null,
  allowCancel: true,
};

/** Items that replace a progress line when they appear. */
const ENDS_PROGRESS = new Set(['assistant_message', 'widget', 'generated_image', 'structured_input', 'client_tool_call']);

export function fold(state: Conversation, event: StreamEvent): Conversation {
  switch (event.type) {
    case 'thread.created':
    case 'thread.updated':
      return { ...state, thread: { ...state.thread, ...withoutItems(event.thread) } };
    case 'thread.item.added':
      return put(state, event.item, true);
    case 'thread.item.done':
    case 'thread.item.replaced':
      return put(state, event.item, false);
    case 'thread.item.removed':
      return {
        ...state,
        items: state.items.filter((item) => item.id !== event.item_id),
        open: without(state.open, event.item_id),
      };
    case 'thread.item.updated':
      return replace(state, event.item_id, (item) => applyUpdate(item, event.update));
    case 'stream_options':
      return { ...state, allowCancel: event.stream_options?.allow_cancel !== false };
    case 'progress_update':
      return { ...state, progress: event };
    case 'notice':
      return { ...state, notices: [...state.notices, { ...event, key: (state.notices.at(-1)?.key ?? 0) + 1 }] };
    case 'error':
      return { ...state, error: event, progress: null };
    default:
      return state; // client_effect has no state; events of a newer protocol are not ours to show
  }
}

/** The end of a stream, however it ended. */
export function close(state: Conversation): Conversation {
  return { ...state, open: new Set(), progress: null };
}

function put(state: Conversation, item: Item, isOpen: boolean): Conversation {
  const index = state.items.findLastIndex((each) => each.id === item.id);
  const items = index < 0 ? [...state.items, item] : state.items.with(index, item);
  const open = isOpen ? new Set(state.open).add(item.id) : without(state.open, item.id);
  const progress = index < 0 && ENDS_PROGRESS.has(item.type) ? null : state.progress;
  return { ...state, items, open, progress };
}

function replace(state: Conversation, id: string, change: (item: Item) => Item): Conversation {
  const index = state.items.findLastIndex((each) => each.id === id);
  const item = state.items[index];
  if (!item) return state;
  const changed = change(item);
  return changed === item ? state : { ...state, items: state.items.with(index, changed) };
}

export function applyUpdate(item: Item, update: Update): Item {
  switch (update.type) {
    case 'assistant_message.content_part.added':
    case 'assistant_message.content_part.done':
      return part(item, update.content_index, () => update.content);
    case 'assistant_message.content_part.text_delta':
      return part(item, update.content_index, (old) => ({ ...old, text: old.text + update.delta }));
    case 'assistant_message.content_part.annotation_added':
      return part(item, update.content_index, (old) => {
        const annotations = [...(old.annotations ?? [])];
        annotations.splice(update.annotation_index, 0, update.annotation);
        return { ...old, annotations };
      });
    case 'widget.root.updated':
      return item.type === 'widget' ? { ...item, widget: update.widget } : item;
    case 'widget.component.updated':
      return widget(item, update.component_id, () => update.component);
    case 'widget.streaming_text.value_delta':
      return widget(item, update.component_id, (node) => ({
        ...node,
        value: String(node['value'] ?? '') + update.delta,
        streaming: !update.done,
      }));
    case 'workflow.task.added':
      return tasks(item, (list) => list.splice(update.task_index, 0, update.task));
    case 'workflow.task.updated':
      return tasks(item, (list) => (list[Math.min(update.task_index, list.length)] = update.task));
    case 'generated_image.updated':
      return item.type === 'generated_image' ? { ...item, image: update.image, progress: update.progress ?? null } : item;
    default:
      return item;
  }
}

type Content = Extract<Item, { type: 'assistant_message' }>['content'];

function part(item: Item, index: number, change: (old: Content[number]) => Content[number]): Item {
  if (item.type !== 'assistant_message') return item;
  const content = [...item.content];
  while (content.length <= index) content.push({ type: 'output_text', text: '', annotations: [] });
  content[index] = change(content[index]!);
  return { ...item, content };
}

type Tasks = Extract<Item, { type: 'workflow' }>['workflow']['tasks'];

function tasks(item: Item, change: (list: Tasks) => unknown): Item {
  if (item.type !== 'workflow') return item;
  const list = [...item.workflow.tasks];
  change(list);
  return { ...item, workflow: { ...item.workflow, tasks: list } };
}

function widget(item: Item, id: string, change: (node: WidgetNode) => WidgetNode): Item {
  if (item.type !== 'widget') return item;
  const root = changeNode(item.widget, id, change);
  return root === item.widget ? item : { ...item, widget: root as WidgetNode };
}

/** The same value, or a copy with the component of that id changed, wherever it is. */
function changeNode(value: unknown, id: string, change: (node: WidgetNode) => WidgetNode): unknown {
  if (Array.isArray(value)) {
    const list = value.map((each) => changeNode(each, id, change));
    return list.some((each, index) => each !== value[index]) ? list : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  const node = value as WidgetNode;
  if (node.id === id && typeof node.type === 'string') return change(node);
  const children = changeNode(node['children'], id, change);
  return children === node['children'] ? node : { ...node, children };
}

function withoutItems(thread: Thread): Thread {
  const { items: _, ...rest } = thread;
  return { title: null, allowed_image_domains: null, ...rest };
}

function without(set: ReadonlySet<string>, id: string): ReadonlySet<string> {
  if (!set.has(id)) return set;
  const copy = new Set(set);
  copy.delete(id);
  return copy;
}
