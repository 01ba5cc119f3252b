/** Icons: ChatKit's names, drawn by lucide's shapes (ISC). Other `lucide:` names load the whole set on demand. */
import { html, nothing, type TemplateResult } from 'lit';
import {
  AlignJustify, AppWindow, ArrowLeft, ArrowDown, ArrowUp, Atom, AtSign, Award, Bolt, Book, BookMarked, BookOpen, Bot,
  Briefcase, Bug, Calendar, ChartColumn, Check, ChevronDown, ChevronLeft, ChevronRight, ChevronsLeft, ChevronsRight,
  CircleAlert, CircleCheck, CircleCheckBig, CircleEllipsis, CircleQuestionMark, Circle, Clock, Compass, Copy, Cuboid, Dot,
  Ellipsis, EllipsisVertical, ExternalLink, File as FileIcon, FileText, FlaskConical, Globe, History, House, IdCard,
  Image as ImageIcon, Images, Info, KeyRound, Layers, LayoutGrid, LifeBuoy, Lightbulb, LoaderCircle, Mail, Map as MapIcon,
  MapPin, Maximize2, Menu, MessageSquareDashed, Mic, Minimize2, Monitor, Moon, Notebook, NotebookPen, Orbit, PanelLeft,
  PanelLeftClose, PanelLeftOpen, PanelRight, PanelRightClose, PanelRightOpen, Paperclip, PartyPopper, Pencil, PenLine,
  Phone, Play, Plus, Quote, RefreshCw, Search, Settings, Share, SlidersHorizontal, Smartphone, Sparkle, Sparkles, Square,
  SquareCode, SquarePen, SquareUser, Star, Sun, Table2, Tag, ThumbsDown, ThumbsUp, Trash2, TriangleAlert, User, X, Zap,
  type IconNode,
} from 'lucide';

type Shape = IconNode | { of: IconNode; filled: true };
const filled = (of: IconNode): Shape => ({ of, filled: true });

const SHAPES: Record<string, Shape> = {
  // ChatKitIcon and IconName (wire.md section 10)
  agent: Bot, analytics: ChartColumn, atom: Atom, batch: Layers, bolt: Zap, 'book-open': BookOpen, 'book-closed': Book,
  'book-clock': BookMarked, bug: Bug, calendar: Calendar, chart: ChartColumn, check: Check, 'check-circle': CircleCheck,
  'check-circle-filled': CircleCheckBig, 'chevron-left': ChevronLeft, 'chevron-right': ChevronRight,
  'circle-question': CircleQuestionMark, clock: Clock, compass: Compass, confetti: PartyPopper, cube: Cuboid,
  desktop: Monitor, document: FileText, dot: Dot, 'dots-horizontal': Ellipsis, 'dots-vertical': EllipsisVertical,
  'empty-circle': Circle, 'external-link': ExternalLink, globe: Globe, keys: KeyRound, lab: FlaskConical, images: Images,
  info: Info, lifesaver: LifeBuoy, lightbulb: Lightbulb, mail: Mail, 'map-pin': MapPin, maps: MapIcon, mobile: Smartphone,
  name: Tag, notebook: Notebook, 'notebook-pencil': NotebookPen, 'page-blank': FileIcon, phone: Phone, play: Play,
  plus: Plus, profile: SquareUser, 'profile-card': IdCard, reload: RefreshCw, star: Star, 'star-filled': filled(Star),
  search: Search, sparkle: Sparkle, 'sparkle-double': Sparkles, 'square-code': SquareCode, 'square-image': ImageIcon,
  'square-text': Table2, suitcase: Briefcase, 'settings-slider': SlidersHorizontal, user: User, wreath: Award,
  write: SquarePen, 'write-alt': Pencil, 'write-alt2': PenLine,
  // HeaderIcon
  'sidebar-left': PanelLeft, 'sidebar-right': PanelRight, 'sidebar-open-left': PanelLeftOpen,
  'sidebar-open-right': PanelRightOpen, 'sidebar-open-left-alt': PanelLeftOpen, 'sidebar-open-right-alt': PanelRightOpen,
  'sidebar-floating-left': AppWindow, 'sidebar-floating-right': AppWindow, 'sidebar-floating-open-left': PanelLeftOpen,
  'sidebar-floating-open-right': PanelRightOpen, 'sidebar-collapse-left': PanelLeftClose,
  'sidebar-collapse-right': PanelRightClose, 'collapse-left': PanelLeftClose, 'collapse-right': PanelRightClose,
  'open-left': PanelLeftOpen, 'open-right': PanelRightOpen, 'double-chevron-left': ChevronsLeft,
  'double-chevron-right': ChevronsRight, home: House, 'home-alt': House, 'back-small': ArrowLeft, 'back-large': ArrowLeft,
  'expand-large': Maximize2, 'collapse-large': Minimize2, 'expand-small': Maximize2, 'collapse-small': Minimize2,
  'chat-temporary': MessageSquareDashed, 'settings-cog': Settings, grid: LayoutGrid, 'dots-horizontal-circle': CircleEllipsis,
  'dots-vertical-circle': CircleEllipsis, menu: Menu, 'menu-inverted': AlignJustify, hamburger: Menu, history: History,
  compose: SquarePen, share: Share, 'light-mode': Sun, 'dark-mode': Moon, close: X,
  // the element's own
  '-send': ArrowUp, '-stop': filled(Square), '-down': ArrowDown, '-copy': Copy, '-up-vote': ThumbsUp, '-down-vote': ThumbsDown,
  '-clip': Paperclip, '-mic': Mic, '-at': AtSign, '-quote': Quote, '-warning': TriangleAlert, '-danger': CircleAlert,
  '-loader': LoaderCircle, '-chevron': ChevronDown, '-delete': Trash2, '-thought': Orbit, '-settings': Bolt,
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
    else if (name.startsWith('lucide:')) void load(name).then(redraw);
    else drawn.set(name, null);
  }
  return strings ? html(strings) : nothing;
}

function load(name: string): Promise<void> {
  let loading = waiting.get(name);
  if (!loading) {
    loading = import('../lazy/lucide')
      .then(({ find }) => {
        const found = find(name.slice('lucide:'.length));
        drawn.set(name, found ? markup(found) : null);
      })
      .catch(() => void drawn.set(name, null));
    waiting.set(name, loading);
  }
  return loading;
}

export const ICON_NAMES = Object.keys(SHAPES).filter((name) => !name.startsWith('-'));
