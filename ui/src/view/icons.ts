/** Icons: ChatKit's names, drawn by lucide's shapes (ISC). What is not always needed is loaded on demand. */
import { html, nothing, type TemplateResult } from 'lit';
import {
  ArrowDown, ArrowUp, AtSign, Bolt, Check, ChevronDown, ChevronLeft, ChevronRight, CircleAlert, Copy, Cuboid, Dot,
  Ellipsis, ExternalLink, FileText, Globe, History, Image as ImageIcon, Info, LoaderCircle, Mic, Orbit, Paperclip,
  Pencil, Plus, Quote, RefreshCw, Search, Sparkle, Square, SquarePen, ThumbsDown, ThumbsUp, Trash2, TriangleAlert,
  User, X, Zap, type IconNode,
} from 'lucide';

export type Shape = IconNode | { of: IconNode; filled: true };
const filled = (of: IconNode): Shape => ({ of, filled: true });

/** Those that nearly every chat shows; names that begin with a dash are the element's own. */
const SHAPES: Record<string, Shape> = {
  bolt: Zap, check: Check, 'chevron-left': ChevronLeft, 'chevron-right': ChevronRight, cube: Cuboid,
  document: FileText, dot: Dot, 'dots-horizontal': Ellipsis, 'external-link': ExternalLink, globe: Globe, info: Info,
  plus: Plus, reload: RefreshCw, search: Search, sparkle: Sparkle, 'square-image': ImageIcon, user: User,
  'write-alt': Pencil, history: History, compose: SquarePen, close: X, '-send': ArrowUp, '-stop': filled(Square),
  '-down': ArrowDown, '-copy': Copy, '-up-vote': ThumbsUp, '-down-vote': ThumbsDown, '-clip': Paperclip, '-mic': Mic,
  '-at': AtSign, '-quote': Quote, '-warning': TriangleAlert, '-danger': CircleAlert, '-loader': LoaderCircle,
  '-chevron': ChevronDown, '-delete': Trash2, '-thought': Orbit, '-settings': Bolt,
};

const drawn = new Map<string, TemplateStringsArray | null>();
const waiting = new Map<string, Promise<void>>();

function markup(shape: Shape): TemplateStringsArray {
  const fill = 'filled' in shape ? 'currentColor' : 'none';
  const nodes = 'filled' in shape ? shape.of : shape;
  const inner = nodes
    .map(([tag, attributes]) => {
      const text = Object.entries(attributes).map(([name, value]) => ` ${name}="${value}"`);
      return `<${tag}${text.join('')}></${tag}>`;
    })
    .join('');
  const svg =
    `<svg class="icon" aria-hidden="true" viewBox="0 0 24 24" fill="${fill}" stroke="currentColor" ` +
    `stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${inner}</svg>`;
  // Lit caches a template by its strings: one of them for each icon.
  return Object.assign([svg], { raw: [svg] });
}

/** An icon by its name; nothing when nobody knows it. A `lucide:` icon may arrive later and calls `redraw` then. */
export function icon(name: string | null | undefined, redraw?: () => void): TemplateResult | typeof nothing {
  if (!name) return nothing;
  let strings = drawn.get(name);
  if (strings === undefined) {
    const shape = Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined;
    if (shape) drawn.set(name, (strings = markup(shape)));
    else void load(name).then(redraw);
  }
  return strings ? html(strings) : nothing;
}

function load(name: string): Promise<void> {
  let loading = waiting.get(name);
  if (!loading) {
    loading = find(name)
      .catch(() => undefined)
      .then((shape) => void drawn.set(name, shape ? markup(shape) : null));
    waiting.set(name, loading);
  }
  return loading;
}

/** The rest of ChatKit's icons, or, for `lucide:`, all of lucide's. */
async function find(name: string): Promise<Shape | undefined> {
  if (name.startsWith('lucide:')) return (await import('../lazy/lucide')).find(name.slice('lucide:'.length));
  const { shapes } = await import('../lazy/icons');
  return Object.hasOwn(shapes, name) ? shapes[name] : undefined;
}
