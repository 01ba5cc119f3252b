/** Questions about a list of items. Pure. */
import type { AssistantMessage, ClientToolCall, Item, UserMessage } from '../wire/types';

export function lastUserMessage(items: readonly Item[]): UserMessage | undefined {
  return items.findLast((item): item is UserMessage => item.type === 'user_message');
}

/** The newest item, when it is a call that waits for this page. */
export function pendingToolCall(items: readonly Item[]): ClientToolCall | undefined {
  return items.findLast(
    (item): item is ClientToolCall => item.type === 'client_tool_call' && item.status === 'pending',
  );
}

/** What came between that user message and the next one. */
export function answerAfter(items: readonly Item[], userItemId: string): Item[] {
  const start = items.findIndex((item) => item.id === userItemId) + 1;
  const rest = start ? items.slice(start) : [];
  const end = rest.findIndex((item) => item.type === 'user_message');
  return end < 0 ? rest : rest.slice(0, end);
}

/** The text that a copy button gives: Markdown of the messages, and the copy texts of widgets. */
export function copyText(items: readonly Item[]): string {
  const parts = items.flatMap((item) =>
    item.type === 'assistant_message' ? [textOf(item)] : item.type === 'widget' && item.copy_text ? [item.copy_text] : [],
  );
  return parts.join('\n\n').trim();
}

export function textOf(item: AssistantMessage): string {
  return item.content.map((part) => part.text).join('\n\n');
}

/** `page` is the newest end of the thread; what is older and on screen stays. Equal items stay the same objects. */
export function merged(old: readonly Item[], page: readonly Item[]): { items: readonly Item[]; kept: boolean } {
  const known = new Map(old.map((item) => [item.id, item]));
  const fresh = page.map((item) => {
    const before = known.get(item.id);
    return before && JSON.stringify(before) === JSON.stringify(item) ? before : item;
  });
  const start = page[0] ? old.findIndex((item) => item.id === page[0]!.id) : -1;
  if (start < 0) return { items: fresh, kept: false };
  return { items: [...old.slice(0, start), ...fresh], kept: true };
}
