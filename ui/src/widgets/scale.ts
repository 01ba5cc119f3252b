/** Where the values of a chart lie. Pure. */

export interface Span {
  from: number;
  to: number;
  /** Whether there was a value. */
  known: boolean;
}

interface Stackable {
  kind: string;
  key: string;
  stack: string;
}

/** Each series' values, on top of what is below them in their stack; negative ones below zero. */
export function stacks<S extends Stackable>(data: Record<string, unknown>[], series: S[]): { series: S; spans: Span[] }[] {
  const heights = new Map<string, [up: number, down: number][]>();
  return series.map((one) => {
    const base = one.stack ? (heights.get(one.kind + one.stack) ?? data.map((): [number, number] => [0, 0])) : null;
    if (base) heights.set(one.kind + one.stack, base);
    const spans = data.map((row, index) => {
      const raw = row[one.key];
      const value = typeof raw === 'number' && Number.isFinite(raw) ? raw : 0;
      const known = typeof raw === 'number' && Number.isFinite(raw);
      if (!base) return { from: 0, to: value, known };
      const side = value < 0 ? 1 : 0;
      const from = base[index]![side];
      base[index]![side] = from + value;
      return { from, to: from + value, known };
    });
    return { series: one, spans };
  });
}

/** The bars' places within a category of `room` pixels: those of one stack share theirs. */
export function spans<S extends Stackable>(
  drawn: { series: S; spans: Span[] }[],
  room: number,
  gap: number,
): { series: S; spans: Span[]; offset: number; width: number }[] {
  const bars = drawn.filter(({ series }) => series.kind === 'bar');
  const columns = [...new Set(bars.map(({ series }, index) => series.stack || `\0${index}`))];
  const between = Math.min(gap, room / (columns.length || 1) / 2);
  const width = Math.max(1, (room - between * (columns.length - 1)) / (columns.length || 1));
  return bars.map((bar, index) => {
    const column = columns.indexOf(bar.series.stack || `\0${index}`);
    return { ...bar, offset: column * (width + between) - room / 2, width };
  });
}

/** About five round numbers that hold all values and zero. */
export function ticksOf(values: number[]): number[] {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values) || (low ? 0 : 1);
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999) ?? power * 10;
  const ticks: number[] = [];
  for (let count = Math.floor(low / step); count * step < high + step * 0.999; count++) {
    ticks.push(Number((count * step).toPrecision(12)));
    if (count * step >= high) break;
  }
  return ticks.length > 1 ? ticks : [low, low + step];
}
