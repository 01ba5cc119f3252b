/** ThemeOption, made into the custom properties that the style sheet reads. */
import type { ChatKitOptions, ThemeOption } from '@openai/chatkit';
import { readable, textOn } from './color';

/** Lightness of the neutral steps in OKLCH, from the page's background to its text. */
const LIGHT = { bg: 1, raised: 1, soft: 0.965, fill: 0.94, line: 0.89, strong: 0.72, third: 0.5, second: 0.43, fg: 0.17 };
const DARK = { bg: 0.2, raised: 0.25, soft: 0.245, fill: 0.29, line: 0.34, strong: 0.5, third: 0.72, second: 0.79, fg: 0.95 };

const RADIUS = {
  pill: { small: 8, medium: 14, large: 22, control: 999 },
  round: { small: 8, medium: 12, large: 18, control: 12 },
  soft: { small: 5, medium: 8, large: 12, control: 8 },
  sharp: { small: 0, medium: 0, large: 0, control: 0 },
};
const DENSITY = { compact: 0.8, normal: 1, spacious: 1.25 };

const SANS = 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif';
const MONO = 'ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace';

export function themeOf(option: ChatKitOptions['theme']): ThemeOption {
  return typeof option === 'string' ? { colorScheme: option } : (option ?? {});
}

/** The custom properties of a theme. Values that are no colors or fonts are left out. */
export function properties(theme: ThemeOption): Record<string, string> {
  const dark = theme.colorScheme === 'dark';
  const { grayscale, accent, surface } = theme.color ?? {};
  const steps = dark ? DARK : LIGHT;
  const shade = (grayscale?.shade ?? 0) * 0.012;
  const chroma = Math.min(9, Math.max(0, grayscale?.tint ?? 0)) * 0.0035;
  const gray = Object.fromEntries(
    Object.entries(steps).map(([name, lightness]) => {
      // The shade moves grounds, not text, so that contrast stays.
      const ground = name !== 'fg' && name !== 'second' && name !== 'third';
      const value = Math.min(1, Math.max(0, lightness - (ground ? shade : 0)));
      return [name, `oklch(${value.toFixed(4)} ${chroma.toFixed(4)} ${grayscale?.hue ?? 0})`];
    }),
  ) as Record<keyof typeof LIGHT, string>;
  const bg = color(surface?.background) ?? gray.bg;
  const fg = color(surface?.foreground) ?? gray.fg;
  const primary = color(accent?.primary) ?? (dark ? '#f2f2f2' : '#171717');
  const level = accent ? (accent.level ?? 1) : 0;
  // The level says how much of the surface takes the accent's color.
  const tinted = (base: string, amount: number): string =>
    level ? `color-mix(in oklab, ${primary} ${Math.round(amount * level)}%, ${base})` : base;
  const radius = RADIUS[theme.radius ?? 'pill'] ?? RADIUS.pill;
  const { baseSize, fontFamily, fontFamilyMono } = theme.typography ?? {};
  const status = (name: string, light: string, darker: string): Record<string, string> => {
    const value = dark ? darker : light;
    return {
      [`--${name}`]: readable(value, bg),
      [`--${name}-bg`]: `color-mix(in oklab, ${value} ${dark ? 18 : 10}%, ${bg})`,
      [`--${name}-solid`]: value,
      [`--on-${name}`]: textOn(value),
    };
  };
  return {
    'color-scheme': dark ? 'dark' : 'light',
    '--bg': bg,
    '--raised': color(surface?.background) ? tinted(bg, 0) : gray.raised,
    '--soft': tinted(gray.soft, 2),
    '--fill': tinted(gray.fill, 4),
    '--line': gray.line,
    '--strong': gray.strong,
    '--fg': fg,
    '--fg-2': color(surface?.foreground) ? `color-mix(in oklab, ${fg} 82%, ${bg})` : gray.second,
    '--fg-3': color(surface?.foreground) ? `color-mix(in oklab, ${fg} 75%, ${bg})` : gray.third,
    '--accent': primary,
    '--accent-text': readable(primary, bg),
    '--on-accent': textOn(primary),
    ...status('danger', '#c62828', '#ff8a80'),
    ...status('warning', '#9a5b00', '#ffb74d'),
    ...status('success', '#1b7a3d', '#7ddc9b'),
    ...status('info', '#0b62c4', '#82b8ff'),
    ...status('discovery', '#6a3fc0', '#bfa4ff'),
    '--r-s': `${radius.small}px`,
    '--r-m': `${radius.medium}px`,
    '--r-l': `${radius.large}px`,
    '--r-c': `${radius.control}px`,
    '--u': `${(4 * (DENSITY[theme.density ?? 'normal'] ?? 1)).toFixed(2)}px`,
    '--size': `${baseSize ?? 16}px`,
    '--font': fontFamily ? `${fontFamily}, ${SANS}` : SANS,
    '--mono': fontFamilyMono ? `${fontFamilyMono}, ${MONO}` : MONO,
  };
}

/** Set them on a style declaration: no text of the page is ever parsed as a rule. */
export function apply(style: CSSStyleDeclaration, theme: ThemeOption): void {
  for (const [name, value] of Object.entries(properties(theme))) style.setProperty(name, value);
}

/** Load the fonts that a theme names. Fonts are the document's; a shadow root has none of its own. */
export function loadFonts(theme: ThemeOption): void {
  for (const { family, src, weight, style, display, unicodeRange } of theme.typography?.fontSources ?? []) {
    const face = new FontFace(family, `url(${JSON.stringify(new URL(src, document.baseURI).href)})`, {
      ...(weight === undefined ? {} : { weight: String(weight) }),
      ...(style ? { style } : {}),
      ...(display ? { display } : {}),
      ...(unicodeRange ? { unicodeRange } : {}),
    });
    if ([...document.fonts].some((each) => each.family === family && each.weight === face.weight && each.style === face.style))
      continue;
    document.fonts.add(face);
  }
}

function color(value: unknown): string | null {
  return typeof value === 'string' && CSS.supports('color', value) ? value : null;
}
