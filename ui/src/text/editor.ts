/** The text in the composer, tags among it: from message content to nodes and back, and what stands before the caret. */
import type { Entity } from '@openai/chatkit';
import type { UserContent, UserTag } from '../wire/types';

const tags = new WeakMap<Node, UserTag>();

export function tagOf({ id, title, data, group, interactive }: Entity): UserTag {
  return {
    type: 'input_tag',
    id,
    text: title,
    data: { ...data },
    ...(group ? { group } : {}),
    interactive: interactive ?? false,
  };
}

/** A tag as one thing in the text, which is deleted as a whole. */
export function chip(tag: UserTag): HTMLElement {
  const node = document.createElement('span');
  node.className = 'tag';
  node.contentEditable = 'false';
  node.textContent = tag.text;
  tags.set(node, tag);
  return node;
}

export function fill(editor: HTMLElement, content: readonly UserContent[]): void {
  editor.replaceChildren(...content.map((part) => (part.type === 'input_tag' ? chip(part) : document.createTextNode(part.text))));
}

/** What is in the editor; neighbouring texts are one, and white space around all of it is gone. */
export function contentOf(editor: HTMLElement): UserContent[] {
  const parts: UserContent[] = [];
  const say = (text: string): void => {
    const last = parts.at(-1);
    if (last?.type === 'input_text') last.text += text;
    else if (text) parts.push({ type: 'input_text', text });
  };
  const visit = (node: Node): void => {
    const tag = tags.get(node);
    if (tag) parts.push(tag);
    else if (node.nodeType === Node.TEXT_NODE) say((node as Text).data);
    else if (node.nodeName === 'BR') say('\n');
    else {
      if (node !== editor && node.nodeName === 'DIV' && parts.length) say('\n');
      node.childNodes.forEach(visit);
    }
  };
  visit(editor);
  const [first, last] = [parts[0], parts.at(-1)];
  if (first?.type === 'input_text') first.text = first.text.trimStart();
  if (last?.type === 'input_text') last.text = last.text.trimEnd();
  return parts.filter((part) => part.type === 'input_tag' || part.text);
}

interface WithSelection {
  getSelection?(): Selection | null;
}

export function selectionIn(node: Node): Selection | null {
  return (node.getRootNode() as WithSelection).getSelection?.() ?? document.getSelection();
}

export interface Trigger {
  sign: '@' | '/';
  query: string;
  range: Range;
}

/** `@name` or `/command` that ends at the caret. A command begins the message or a word. */
export function triggerAt(editor: HTMLElement, signs: string): Trigger | null {
  if (!signs) return null;
  const selection = selectionIn(editor);
  const node = selection?.anchorNode;
  if (!selection?.isCollapsed || !node || node.nodeType !== Node.TEXT_NODE || !editor.contains(node)) return null;
  const before = (node as Text).data.slice(0, selection.anchorOffset);
  const match = new RegExp(`(?:^|\\s)([${signs}])([^\\s@/]{0,40})$`).exec(before);
  if (!match) return null;
  const range = document.createRange();
  range.setStart(node, before.length - match[2]!.length - 1);
  range.setEnd(node, before.length);
  return { sign: match[1] as '@' | '/', query: match[2]!, range };
}

/** Put nodes where the range is, and the caret behind them. */
export function insert(editor: HTMLElement, range: Range | null, ...nodes: Node[]): void {
  editor.focus();
  const selection = selectionIn(editor);
  let place = range;
  if (!place) {
    place = document.createRange();
    const inside = selection?.rangeCount && editor.contains(selection.anchorNode) ? selection.getRangeAt(0) : null;
    if (inside) place = inside;
    else {
      place.selectNodeContents(editor);
      place.collapse(false);
    }
  }
  place.deleteContents();
  for (const node of nodes) {
    place.insertNode(node);
    place.setStartAfter(node);
    place.collapse(true);
  }
  caret(editor, place);
}

export function toEnd(editor: HTMLElement): void {
  const range = document.createRange();
  range.selectNodeContents(editor);
  range.collapse(false);
  caret(editor, range);
}

function caret(editor: HTMLElement, range: Range): void {
  const selection = selectionIn(editor);
  selection?.setBaseAndExtent(range.startContainer, range.startOffset, range.startContainer, range.startOffset);
}
