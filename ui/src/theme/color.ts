/** Colors that a page gives, in any CSS notation, read by the browser itself. */

export type Rgb = [red: number, green: number, blue: number];

let context: CanvasRenderingContext2D | null | undefined;

/** Its red, green and blue, 0 to 255; null when it is no color. */
export function rgb(color: string): Rgb | null {
  if (!CSS.supports('color', color)) return null;
  context ??= Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d', {
    willReadFrequently: true,
  });
  if (!context) return null;
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

/** Relative luminance (WCAG 2.2). */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as Rgb;
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Contrast ratio, 1 to 21 (WCAG 2.2). */
export function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** Black or white, whichever is easier to read on it. */
export function textOn(color: string): string {
  const value = rgb(color);
  return value && contrast(value, [255, 255, 255]) < contrast(value, [0, 0, 0]) ? '#000' : '#fff';
}

/** `color`, moved towards black or white until text of it can be read on `background` (ratio 4.5). */
export function readable(color: string, background: string): string {
  const start = rgb(color);
  const under = rgb(background);
  if (!start || !under) return color;
  const goal = luminance(under) > 0.18 ? 0 : 255;
  for (let step = 0; step <= 20; step++) {
    const mixed = start.map((value) => Math.round(value + ((goal - value) * step) / 20)) as Rgb;
    if (contrast(mixed, under) >= 4.5) return step ? `rgb(${mixed.join(' ')})` : color;
  }
  return goal ? '#fff' : '#000';
}
