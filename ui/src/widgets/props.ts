/** Props of widgets, made into styles. None can be trusted: a value that is of no known kind is no style at all. */
import type { Styles } from '../view/styles';

export type Scheme = 'light' | 'dark';

export function text(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

export function flag(value: unknown): boolean {
  return value === true;
}

/** One of the words, or the first of them. */
export function word<T extends string>(value: unknown, words: readonly [T, ...T[]]): T {
  return words.includes(value as T) ? (value as T) : words[0];
}

/** A length: numbers are pixels, text is CSS. */
export function length(value: unknown): string | undefined {
  if (number(value) !== undefined) return `${value as number}px`;
  return typeof value === 'string' && CSS.supports('width', value) ? value : undefined;
}

/** A distance: numbers are spacing units of 4 pixels. */
export function distance(value: unknown): string | undefined {
  if (number(value) !== undefined) return `${(value as number) * 4}px`;
  return typeof value === 'string' && CSS.supports('margin', value) ? value : undefined;
}

const SIDES = { top: ['top'], right: ['right'], bottom: ['bottom'], left: ['left'], x: ['left', 'right'], y: ['top', 'bottom'] };
type Side = keyof typeof SIDES;

/** `padding` or `margin`, for all sides or some. */
export function spacing(name: 'padding' | 'margin', value: unknown): Styles {
  if (typeof value !== 'object' || value === null) return { [name]: distance(value) };
  return sides(value, (side, part) => [[`${name}-${side}`, distance(part)]]);
}

/** Narrow sides win over `x` and `y`. */
function sides(value: object, style: (side: string, part: unknown) => [string, string | undefined][]): Styles {
  const out: Styles = {};
  for (const key of ['x', 'y', 'top', 'right', 'bottom', 'left'] as Side[]) {
    const part = (value as Record<string, unknown>)[key];
    if (part === undefined || part === null) continue;
    for (const side of SIDES[key]) for (const [name, css] of style(side, part)) out[name] = css;
  }
  return out;
}

const LINES = ['solid', 'dashed', 'dotted', 'double', 'groove', 'ridge', 'inset', 'outset'] as const;

export function border(value: unknown, scheme: Scheme): Styles {
  const one = (part: unknown): string | undefined => {
    if (number(part) !== undefined) return `${part as number}px solid var(--line)`;
    if (typeof part !== 'object' || part === null) return undefined;
    const { size, color: tone, style } = part as Record<string, unknown>;
    if (number(size) === undefined) return undefined;
    return `${size as number}px ${word(style, LINES)} ${color(tone, scheme, 'line') ?? 'var(--line)'}`;
  };
  if (typeof value === 'object' && value !== null && !('size' in value))
    return sides(value, (side, part) => [[`border-${side}`, one(part)]]);
  return { border: one(value) };
}

const TOKENS: Record<string, Record<string, string>> = {
  text: {
    prose: 'var(--fg)', primary: 'var(--fg)', emphasis: 'var(--fg)', secondary: 'var(--fg-2)', tertiary: 'var(--fg-3)',
    success: 'var(--success)', warning: 'var(--warning)', danger: 'var(--danger)', info: 'var(--info)', discovery: 'var(--discovery)',
  },
  ground: {
    surface: 'var(--raised)', 'surface-secondary': 'var(--soft)', 'surface-tertiary': 'var(--fill)',
    'surface-elevated': 'var(--raised)', 'surface-elevated-secondary': 'var(--soft)',
  },
  line: { default: 'var(--line)', subtle: 'var(--fill)', strong: 'var(--strong)' },
  chart: {
    blue: '#3b82f6', purple: '#8b5cf6', orange: '#f97316', green: '#22a559', red: '#ef4444', yellow: '#d9a404', pink: '#ec4899',
  },
};

/** OKLCH hue and chroma of the primitive colors. */
const HUES: Record<string, [hue: number, chroma: number]> = {
  gray: [0, 0], red: [27, 0.2], orange: [52, 0.17], yellow: [92, 0.16], green: [150, 0.16], blue: [258, 0.18],
  purple: [295, 0.19], pink: [350, 0.19], teal: [190, 0.11], cyan: [215, 0.12], indigo: [275, 0.18],
};

/** A color token of `kind`, a primitive such as `red-100`, any CSS color, or one for each scheme. */
export function color(value: unknown, scheme: Scheme, kind: 'text' | 'ground' | 'line' | 'chart'): string | undefined {
  if (typeof value === 'object' && value !== null) return color((value as Record<string, unknown>)[scheme], scheme, kind);
  if (typeof value !== 'string') return undefined;
  const token = TOKENS[kind]!;
  if (Object.hasOwn(token, value)) return token[value];
  const primitive = /^([a-z]+)-(\d{1,4})$/.exec(value);
  const hue = primitive && HUES[primitive[1]!];
  if (primitive && hue) {
    const step = Math.min(1000, Number(primitive[2]));
    const lightness = 0.985 - 0.78 * (step / 1000);
    return `oklch(${lightness.toFixed(3)} ${(hue[1] * Math.min(1, step / 450)).toFixed(3)} ${hue[0]})`;
  }
  return CSS.supports('color', value) ? value : undefined;
}

/** A background: a color, or a gradient, which loads nothing. */
export function background(value: unknown, scheme: Scheme): Styles {
  const plain = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[scheme] : value;
  if (typeof plain === 'string' && /^(repeating-)?(linear|radial|conic)-gradient\(/i.test(plain) && !/url|image|src/i.test(plain))
    return { 'background-image': plain };
  return { 'background-color': color(value, scheme, 'ground') };
}

const RADII: Record<string, string> = {
  '2xs': '2px', xs: '4px', sm: '6px', md: '8px', lg: '10px', xl: '12px', '2xl': '16px', '3xl': '20px', '4xl': '24px',
  full: '9999px', '100%': '100%', none: '0',
};

export function radius(value: unknown): string | undefined {
  return typeof value === 'string' ? RADII[value] : undefined;
}

const ALIGN: Record<string, string> = {
  start: 'flex-start', center: 'center', end: 'flex-end', baseline: 'baseline', stretch: 'stretch', between: 'space-between',
  around: 'space-around', evenly: 'space-evenly',
};

export function align(value: unknown): string | undefined {
  return typeof value === 'string' ? ALIGN[value] : undefined;
}

/** Width, height and their bounds. `size` stands for both. */
export function sizes(node: Record<string, unknown>): Styles {
  const out: Styles = {};
  for (const [prefix, size] of [['', 'size'], ['min-', 'minSize'], ['max-', 'maxSize']] as const) {
    const both = length(node[size]);
    const name = prefix.slice(0, 3);
    const own = (side: 'Width' | 'Height'): string | undefined => length(node[name ? name + side : side.toLowerCase()]);
    out[`${prefix}width`] = own('Width') ?? both;
    out[`${prefix}height`] = own('Height') ?? both;
  }
  const ratio = node['aspectRatio'];
  if ((typeof ratio === 'number' || typeof ratio === 'string') && CSS.supports('aspect-ratio', String(ratio)))
    out['aspect-ratio'] = String(ratio);
  const flex = node['flex'];
  if ((typeof flex === 'number' || typeof flex === 'string') && CSS.supports('flex', String(flex))) out['flex'] = String(flex);
  return out;
}

/** What the layout family has in common. */
export function box(node: Record<string, unknown>, scheme: Scheme): Styles {
  return {
    ...sizes(node),
    ...spacing('padding', node['padding']),
    ...spacing('margin', node['margin']),
    ...border(node['border'], scheme),
    ...background(node['background'], scheme),
    'border-radius': radius(node['radius']),
    gap: distance(node['gap']),
    'align-items': align(node['align']),
    'justify-content': align(node['justify']),
    'flex-wrap': word(node['wrap'], ['nowrap', 'wrap', 'wrap-reverse']),
  };
}

const WEIGHTS = { normal: '400', medium: '500', semibold: '600', bold: '700' };
const TEXT_SIZES: Record<string, number> = { xs: 0.75, sm: 0.875, md: 1, lg: 1.125, xl: 1.25 };
const TITLE_SIZES: Record<string, number> = { sm: 1, md: 1.125, lg: 1.25, xl: 1.5, '2xl': 1.875, '3xl': 2.25, '4xl': 3, '5xl': 3.75 };
const CAPTION_SIZES: Record<string, number> = { sm: 0.75, md: 0.8125, lg: 0.875 };

/** How a text looks; `kind` says which sizes it has. */
export function type(node: Record<string, unknown>, scheme: Scheme, kind: 'text' | 'title' | 'caption'): Styles {
  const scale = { text: TEXT_SIZES, title: TITLE_SIZES, caption: CAPTION_SIZES }[kind];
  const size = scale[text(node['size'])] ?? { text: 1, title: 1.125, caption: 0.8125 }[kind];
  const fallback = kind === 'caption' ? 'var(--fg-2)' : undefined;
  return {
    'font-size': `calc(var(--size) * ${size})`,
    'font-weight': WEIGHTS[text(node['weight']) as keyof typeof WEIGHTS] ?? (kind === 'title' ? '600' : undefined),
    color: color(node['color'], scheme, 'text') ?? fallback,
    'text-align': node['textAlign'] ? word(node['textAlign'], ['start', 'center', 'end']) : undefined,
    'font-style': flag(node['italic']) ? 'italic' : undefined,
    'text-decoration': flag(node['lineThrough']) ? 'line-through' : undefined,
    width: length(node['width']),
    'min-height': number(node['minLines']) ? `${number(node['minLines'])}lh` : undefined,
    ...lines(node),
  };
}

function lines(node: Record<string, unknown>): Styles {
  const count = flag(node['truncate']) ? (number(node['maxLines']) ?? 1) : number(node['maxLines']);
  return count ? { overflow: 'hidden', display: '-webkit-box', '-webkit-box-orient': 'vertical', '-webkit-line-clamp': count } : {};
}
