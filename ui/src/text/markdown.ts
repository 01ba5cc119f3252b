/** Markdown to safe DOM nodes: parsed by marked, made safe by DOMPurify before anything of it is in a live document. */
import DOMPurify from 'dompurify';
import { Marked, type Token, type TokenizerAndRendererExtension } from 'marked';
import type { Annotation } from '../wire/types';
import { hostOf, type ImagePolicy } from './images';
import { safeLink } from './links';

const TAGS = [
  'a', 'b', 'blockquote', 'br', 'caption', 'code', 'col', 'colgroup', 'dd', 'del', 'details', 'div', 'dl', 'dt', 'em', 'h1',
  'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img', 'input', 'ins', 'kbd', 'li', 'mark', 'ol', 'p', 'pre', 'q', 's', 'samp',
  'small', 'span', 'strong', 'sub', 'summary', 'sup', 'table', 'tbody', 'td', 'tfoot', 'th', 'thead', 'tr', 'u', 'ul', 'var',
];
const ATTRIBUTES = ['align', 'alt', 'checked', 'class', 'colspan', 'dir', 'disabled', 'href', 'lang', 'open', 'rowspan', 'src', 'start', 'title', 'type'];
/** The only classes that text may have: what marked writes for code, and we for math. */
const CLASSES = /^(language-[\w+#.-]+|math-(inline|block))$/;

const MARK = '\uE000';
/** A citation's place in the source; in brackets, so that emphasis ends before it as before any punctuation. */
const PLACE = new RegExp(`⦃${MARK}(\\d+)⦄`, 'g');

/**
 * Browsers report what a page's policy forbids even in the inert document in which DOMPurify reads. What it would remove
 * anyway is taken out before, so that a hostile text does not fill somebody's violation reports; it is no protection.
 */
function quiet(html: string): string {
  return html
    .replace(/<(style|script)\b[^]*?(<\/\1\s*>|$)/gi, '')
    .replace(/<\/?(base|meta|link|iframe|object|embed)\b[^>]*>/gi, '')
    .replace(/([\s"'/])(on[a-z]+|style)(?=\s*=)/gi, '$1data-off');
}

const marked = new Marked({
  gfm: true,
  breaks: false,
  renderer: { html: ({ text }) => quiet(text) },
  extensions: [
    math('math-block', 'block', /^(?:\$\$([^]+?)\$\$|\\\[([^]+?)\\\])(?:\n|$)/, /\$\$|\\\[/),
    math('math-inline', 'inline', /^(?:\$\$([^$]+?)\$\$|\\\((.+?)\\\)|\$(?![\s$])([^$\n]*?[^\s$\\])\$(?!\d))/, /\$|\\\(/),
  ],
});

function math(name: 'math-block' | 'math-inline', level: 'block' | 'inline', whole: RegExp, start: RegExp): TokenizerAndRendererExtension {
  return {
    name,
    level,
    start: (text: string) => start.exec(text)?.index,
    tokenizer(text: string) {
      const match = whole.exec(text);
      if (!match) return undefined;
      return { type: name, raw: match[0], text: (match[1] ?? match[2] ?? match[3] ?? '').trim() };
    },
    renderer: ({ text }) =>
      level === 'block' ? `<div class="${name}">${escape(text)}</div>` : `<span class="${name}">${escape(text)}</span>`,
  };
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
}

// -- blocks ---------------------------------------------------------------------------------------

/** A text, cut into blocks as it grows: only its end is parsed again when something is added. */
export class Blocks {
  private done: Token[] = [];
  private prefix = '';

  /** The blocks of `text`. While `growing`, what stands before its last blocks is taken as final. */
  read(text: string, growing: boolean): Token[] {
    const source = text.replace(/\r\n?/g, '\n');
    if (!growing || !source.startsWith(this.prefix)) {
      this.done = [];
      this.prefix = '';
    }
    const tokens = marked.lexer(source.slice(this.prefix.length));
    const blocks = [...this.done, ...tokens].filter((token) => token.type !== 'space' && token.type !== 'def');
    if (growing)
      while (tokens.length > 3) {
        const token = tokens.shift()!;
        this.done.push(token);
        this.prefix += token.raw;
      }
    return blocks;
  }
}

/** Put the places of citations into the source. Their indexes count characters, not UTF-16 units. */
export function withCitations(text: string, annotations: readonly Annotation[]): string {
  const clean = text.replaceAll(MARK, '\uFFFD');
  const placed = annotations
    .map((annotation, number) => ({ number, at: annotation.index }))
    .filter((each): each is { number: number; at: number } => typeof each.at === 'number')
    .sort((a, b) => b.at - a.at || b.number - a.number);
  if (!placed.length) return clean;
  const astral = /[\uD800-\uDBFF]/.test(clean);
  const points = astral ? Array.from(clean) : null;
  let out = clean;
  for (const { number, at } of placed) {
    const unit = points ? points.slice(0, at).join('').length : Math.min(at, clean.length);
    out = `${out.slice(0, unit)}⦃${MARK}${number}⦄${out.slice(unit)}`;
  }
  return out;
}

// -- safety ---------------------------------------------------------------------------------------

export interface Look {
  images: ImagePolicy;
  /** What stands for an image that is not loaded; gets a click. */
  blocked(host: string, alt: string): string;
  /** Draws the citations with these numbers, which stand together. */
  cite(numbers: number[]): Node;
}

let look: Look | null = null;

DOMPurify.addHook('uponSanitizeAttribute', (_, data) => {
  if (!look) return; // what our own libraries wrote has classes of theirs
  if (data.attrName === 'class' && !CLASSES.test(data.attrValue)) data.keepAttr = false;
  if (data.attrValue.includes(MARK)) data.attrValue = data.attrValue.replace(PLACE, '');
});

DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (!look) return;
  if (node.nodeName === 'A') {
    const href = safeLink(node.getAttribute('href'));
    if (href === null) node.removeAttribute('href');
    node.setAttribute('target', '_blank');
    node.setAttribute('rel', 'noopener noreferrer nofollow');
  } else if (node.nodeName === 'IMG') {
    const src = node.getAttribute('src') ?? '';
    node.setAttribute('loading', 'lazy');
    node.setAttribute('referrerpolicy', 'no-referrer');
    if (!node.hasAttribute('alt')) node.setAttribute('alt', '');
    if (!look.images(src)) {
      node.removeAttribute('src');
      node.setAttribute('data-image', src);
    }
  } else if (node.nodeName === 'INPUT') {
    if (node.getAttribute('type') !== 'checkbox') node.remove();
    else {
      node.setAttribute('disabled', '');
      node.setAttribute('aria-label', node.hasAttribute('checked') ? '✓' : '–');
    }
  }
});

/** One block as nodes that are safe to insert. */
export function nodesOf(block: Token, how: Look): DocumentFragment {
  const html = marked.parser([block]);
  look = how;
  try {
    const fragment = DOMPurify.sanitize(html, {
      ALLOWED_TAGS: TAGS,
      ALLOWED_ATTR: ATTRIBUTES,
      ALLOW_DATA_ATTR: false,
      ALLOW_ARIA_ATTR: false,
      ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel|chatkit-link|blob):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
      RETURN_DOM_FRAGMENT: true,
    });
    for (const image of fragment.querySelectorAll<HTMLElement>('img[data-image]')) image.replaceWith(placeholder(image, how));
    placeCitations(fragment, how);
    return fragment;
  } finally {
    look = null;
  }
}

/** What stands for an image until the reader asks for it. */
function placeholder(image: HTMLElement, how: Look): HTMLElement {
  const button = document.createElement('button');
  const { image: src = '' } = image.dataset;
  const alt = image.getAttribute('alt') ?? '';
  button.className = 'blocked-image';
  button.type = 'button';
  button.textContent = how.blocked(hostOf(src), alt);
  Object.assign(button.dataset, { image: src, alt });
  return button;
}

function placeCitations(fragment: DocumentFragment, how: Look): void {
  const walker = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) {
    const node = walker.currentNode as Text;
    if (node.data.includes(MARK)) texts.push(node);
  }
  for (const node of texts) {
    const pieces: Node[] = [];
    let last = 0;
    let group: number[] = [];
    const flush = (): void => {
      if (group.length) pieces.push(how.cite(group));
      group = [];
    };
    for (const match of node.data.matchAll(PLACE)) {
      const between = node.data.slice(last, match.index);
      if (between) {
        flush();
        pieces.push(document.createTextNode(between));
      }
      group.push(Number(match[1]));
      last = match.index + match[0].length;
    }
    flush();
    pieces.push(document.createTextNode(node.data.slice(last)));
    node.replaceWith(...pieces);
  }
}

/** HTML that a library of ours made of untrusted text (highlighted code, MathML), made safe all the same. */
export function safeFragment(html: string, kind: 'code' | 'math'): DocumentFragment {
  return DOMPurify.sanitize(
    html,
    kind === 'math'
      ? { USE_PROFILES: { mathMl: true }, ADD_TAGS: ['semantics'], FORBID_ATTR: ['style', 'href'], RETURN_DOM_FRAGMENT: true }
      : { ALLOWED_TAGS: ['span'], ALLOWED_ATTR: ['class'], RETURN_DOM_FRAGMENT: true },
  );
}
