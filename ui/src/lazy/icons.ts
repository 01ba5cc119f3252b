/** ChatKit's names for icons (wire.md section 10 and HeaderIcon) that the element itself does not need. */
import {
  AlignJustify, AppWindow, ArrowLeft, Atom, Award, Book, BookMarked, BookOpen, Bot, Briefcase, Bug, Calendar,
  ChartColumn, ChevronsLeft, ChevronsRight, Circle, CircleCheck, CircleCheckBig, CircleEllipsis, CircleQuestionMark,
  Clock, Compass, EllipsisVertical, File as FileIcon, FlaskConical, House, IdCard, Images, KeyRound, Layers,
  LayoutGrid, LifeBuoy, Lightbulb, Mail, Map as MapIcon, MapPin, Maximize2, Menu, MessageSquareDashed, Minimize2,
  Monitor, Moon, Notebook, NotebookPen, PanelLeft, PanelLeftClose, PanelLeftOpen, PanelRight, PanelRightClose,
  PanelRightOpen, PartyPopper, PenLine, Phone, Play, Settings, Share, SlidersHorizontal, Smartphone, Sparkles,
  SquareCode, SquarePen, SquareUser, Star, Sun, Table2, Tag,
} from 'lucide';
import type { Shape } from '../view/icons';

const filled = (of: Shape): Shape => ({ of, filled: true }) as Shape;

export const shapes: Record<string, Shape> = {
  agent: Bot, analytics: ChartColumn, atom: Atom, batch: Layers, 'book-open': BookOpen, 'book-closed': Book,
  'book-clock': BookMarked, bug: Bug, calendar: Calendar, chart: ChartColumn, 'check-circle': CircleCheck,
  'check-circle-filled': CircleCheckBig, 'circle-question': CircleQuestionMark, clock: Clock, compass: Compass,
  confetti: PartyPopper, desktop: Monitor, 'dots-vertical': EllipsisVertical, 'empty-circle': Circle, keys: KeyRound,
  lab: FlaskConical, images: Images, lifesaver: LifeBuoy, lightbulb: Lightbulb, mail: Mail, 'map-pin': MapPin,
  maps: MapIcon, mobile: Smartphone, name: Tag, notebook: Notebook, 'notebook-pencil': NotebookPen,
  'page-blank': FileIcon, phone: Phone, play: Play, profile: SquareUser, 'profile-card': IdCard, star: Star,
  'star-filled': filled(Star), 'sparkle-double': Sparkles, 'square-code': SquareCode, 'square-text': Table2,
  suitcase: Briefcase, 'settings-slider': SlidersHorizontal, wreath: Award, write: SquarePen, 'write-alt2': PenLine,
  'sidebar-left': PanelLeft, 'sidebar-right': PanelRight, 'sidebar-open-left': PanelLeftOpen,
  'sidebar-open-right': PanelRightOpen, 'sidebar-open-left-alt': PanelLeftOpen,
  'sidebar-open-right-alt': PanelRightOpen, 'sidebar-floating-left': AppWindow, 'sidebar-floating-right': AppWindow,
  'sidebar-floating-open-left': PanelLeftOpen, 'sidebar-floating-open-right': PanelRightOpen,
  'sidebar-collapse-left': PanelLeftClose, 'sidebar-collapse-right': PanelRightClose, 'collapse-left': PanelLeftClose,
  'collapse-right': PanelRightClose, 'open-left': PanelLeftOpen, 'open-right': PanelRightOpen,
  'double-chevron-left': ChevronsLeft, 'double-chevron-right': ChevronsRight, home: House, 'home-alt': House,
  'back-small': ArrowLeft, 'back-large': ArrowLeft, 'expand-large': Maximize2, 'collapse-large': Minimize2,
  'expand-small': Maximize2, 'collapse-small': Minimize2, 'chat-temporary': MessageSquareDashed,
  'settings-cog': Settings, grid: LayoutGrid, 'dots-horizontal-circle': CircleEllipsis,
  'dots-vertical-circle': CircleEllipsis, menu: Menu, 'menu-inverted': AlignJustify, hamburger: Menu, share: Share,
  'light-mode': Sun, 'dark-mode': Moon,
};
