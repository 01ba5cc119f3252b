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
  const tint = Math.min(9, Math.max(0, grayscale?.tint ?? 0)) * 0.0035;
  const hue = oklchHue(grayscale?.hue ?? 0);
  const gray = Object.fromEntries(
    Object.entries(steps).map(([name, lightness]) => {
      // The shade moves grounds, not text, so that contrast stays.
      const ground = name !== 'fg' && name !== 'second' && name !== 'third';
      const value = Math.min(1, Math.max(0, lightness - (ground ? shade : 0)));
      // Near white there is hardly any color to be had.
      const chroma = tint * Math.min(1, 0.12 + (1 - value) * 4);
      return [name, `oklch(${value.toFixed(4)} ${chroma.toFixed(4)} ${hue})`];
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
    ...status('caution', '#756500', '#ffe066'),
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

/** The hue in OKLCH of a hue as pages give it, which is HSL's (Ottosson's matrices, bottosson.github.io/posts/oklab). */
function oklchHue(hue: number): number {
  const channel = (offset: number): number => {
    const part = (offset + hue / 30) % 12;
    const value = 0.5 - 0.3 * Math.max(-1, Math.min(part - 3, 9 - part, 1));
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const [red, green, blue] = [channel(0), channel(8), channel(4)];
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  const a = 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s;
  const b = 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s;
  return Math.round((Math.atan2(b, a) * 180) / Math.PI + 360) % 360;
}

function color(value: unknown): string | null {
  return typeof value === 'string' && CSS.supports('color', value) ? value : null;
}
