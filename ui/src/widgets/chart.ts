/** Charts as SVG: bars, lines and areas, stacked or side by side, with a table for those who do not see them. */
import {
  area, curveBasis, curveBasisClosed, curveBasisOpen, curveBumpX, curveBumpY, curveLinear, curveLinearClosed, curveMonotoneX,
  curveMonotoneY, curveNatural, curveStep, curveStepAfter, curveStepBefore, line, type CurveFactory,
} from 'd3-shape';
import { html, nothing, svg, type TemplateResult } from 'lit';
import { define, Part } from '../view/part';
import { styles } from '../view/styles';
import type { WidgetNode } from '../wire/types';
import { color, flag, number, sizes, text, type Scheme } from './props';
import type { Component } from './scope';
import { spans, stacks, ticksOf, type Span } from './scale';

const CURVES: Record<string, CurveFactory> = {
  basis: curveBasis, basisClosed: curveBasisClosed, basisOpen: curveBasisOpen, bump: curveBumpX, bumpX: curveBumpX,
  bumpY: curveBumpY, linear: curveLinear, linearClosed: curveLinearClosed, monotone: curveMonotoneX, monotoneX: curveMonotoneX,
  monotoneY: curveMonotoneY, natural: curveNatural, step: curveStep, stepBefore: curveStepBefore, stepAfter: curveStepAfter,
};
const PALETTE = ['blue', 'purple', 'orange', 'green', 'red', 'yellow', 'pink'];

export interface Series {
  kind: 'bar' | 'area' | 'line';
  key: string;
  label: string;
  stack: string;
  color: string;
  curve: CurveFactory;
}

export const Chart: Component = (node, scope) => {
  const own = sizes(node);
  const height = own['height'] ?? (own['aspect-ratio'] ? undefined : '260px');
  return html`<ck-chart .ctx=${scope.ctx} .node=${node} .scheme=${scope.scheme} ${styles({ ...own, height })}></ck-chart>`;
};

export class ChartPart extends Part {
  static override properties = {
    ...Part.properties,
    node: { attribute: false },
    scheme: { attribute: false },
    at: { state: true },
    width: { state: true },
    height: { state: true },
  };
  declare node: WidgetNode;
  declare scheme: Scheme;
  /** The point that is looked at. */
  declare at: number | null;
  declare width: number;
  declare height: number;
  private observer = new ResizeObserver(([entry]) => {
    const { width = 0, height = 0 } = entry?.contentRect ?? {};
    if (width) this.width = width;
    if (height) this.height = height;
  });

  constructor() {
    super();
    this.at = null;
    this.width = 480;
    this.height = 220;
  }

  protected override firstUpdated(): void {
    this.observer.observe(this.querySelector('.plot')!);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
  }

  private get data(): Record<string, unknown>[] {
    const list = Array.isArray(this.node['data']) ? (this.node['data'] as unknown[]) : [];
    return list.filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null).slice(0, 2000);
  }

  private get series(): Series[] {
    const list = Array.isArray(this.node['series']) ? (this.node['series'] as Record<string, unknown>[]) : [];
    return list
      .filter((each) => typeof each === 'object' && each !== null && typeof each['dataKey'] === 'string')
      .map((each, index) => ({
        kind: each['type'] === 'line' || each['type'] === 'area' ? each['type'] : 'bar',
        key: text(each['dataKey']),
        label: text(each['label']) || text(each['dataKey']),
        stack: each['type'] === 'line' ? '' : text(each['stack']),
        color: color(each['color'] ?? PALETTE[index % PALETTE.length], this.scheme, 'chart') ?? 'var(--accent)',
        curve: CURVES[text(each['curveType'])] ?? curveMonotoneX,
      }));
  }

  private label(row: Record<string, unknown>): string {
    const axis = this.node['xAxis'] as string | Record<string, unknown>;
    if (typeof axis === 'string') return text(row[axis]);
    const value = text(row[text(axis?.['dataKey'])]);
    const labels = axis?.['labels'] as Record<string, unknown> | undefined;
    return labels && Object.hasOwn(labels, value) ? text(labels[value]) : value;
  }

  protected override render(): TemplateResult {
    const { data, series } = this;
    const legend = this.node['showLegend'] ?? series.length > 1;
    return html`<figure class="w-chart" aria-label=${this.t('chart')}>
      <div
        class="plot"
        tabindex=${data.length ? '0' : nothing}
        role="group"
        aria-label="${this.t('chart')}: ${series.map((each) => each.label).join(', ')}"
        @pointermove=${this.point}
        @pointerleave=${() => (this.at = null)}
        @keydown=${this.key}
        @blur=${() => (this.at = null)}
      >
        ${data.length && series.length ? this.plot(data, series) : nothing}
      </div>
      ${legend
        ? html`<div class="legend" aria-hidden="true">
            ${series.map((each) => html`<span><i ${styles({ 'background-color': each.color })}></i>${each.label}</span>`)}
          </div>`
        : nothing}
      <table class="hidden">
        <tr>
          <td></td>
          ${series.map((each) => html`<th scope="col">${each.label}</th>`)}
        </tr>
        ${data.slice(0, 200).map(
          (row) => html`<tr>
            <th scope="row">${this.label(row)}</th>
            ${series.map((each) => html`<td>${text(row[each.key])}</td>`)}
          </tr>`,
        )}
      </table>
    </figure>`;
  }

  private plot(data: Record<string, unknown>[], series: Series[]): TemplateResult {
    const showY = flag(this.node['showYAxis']);
    const hideX = typeof this.node['xAxis'] === 'object' && flag((this.node['xAxis'] as Record<string, unknown> | null)?.['hide']);
    const drawn = stacks(data, series);
    const ticks = ticksOf(drawn.flatMap(({ spans: all }) => all.flatMap((span) => [span.from, span.to])));
    const [low, high] = [ticks[0]!, ticks.at(-1)!];
    const inset = { left: showY ? 44 : 4, right: 6, top: 8, bottom: hideX ? 6 : 24 };
    const wide = Math.max(10, this.width - inset.left - inset.right);
    const tall = Math.max(10, this.height - inset.top - inset.bottom);
    const y = (value: number): number => inset.top + tall - ((value - low) / (high - low || 1)) * tall;
    const step = wide / data.length;
    const x = (index: number): number => inset.left + step * (index + 0.5);
    const every = Math.max(1, Math.ceil((data.length * 64) / wide));
    const format = new Intl.NumberFormat(this.ctx.locale.tag, { notation: 'compact', maximumFractionDigits: 2 });
    const gap = number(this.node['barCategoryGap']) ?? step * 0.24;
    const bars = spans(drawn, step - Math.min(gap, step * 0.9), number(this.node['barGap']) ?? 2);
    return html`${svg`<svg viewBox="0 0 ${this.width} ${this.height}" aria-hidden="true">
        ${ticks.map(
          (tick) => svg`<line class="grid" x1=${inset.left} x2=${inset.left + wide} y1=${y(tick)} y2=${y(tick)} />
            ${showY ? svg`<text class="tick" text-anchor="end" x=${inset.left - 6} y=${y(tick) + 4}>${format.format(tick)}</text>` : nothing}`,
        )}
        ${this.at === null ? nothing : svg`<rect class="cursor" x=${x(this.at) - step / 2} width=${step} y=${inset.top} height=${tall} />`}
        ${bars.map(({ series: one, spans: all, offset, width }) =>
          all.map((span, index) => {
            const [top, bottom] = [y(Math.max(span.from, span.to)), y(Math.min(span.from, span.to))];
            return svg`<rect rx="2" x=${x(index) + offset} width=${Math.max(1, width)} y=${top} height=${Math.max(0, bottom - top)} fill=${one.color} />`;
          }),
        )}
        ${drawn.filter(({ series: one }) => one.kind !== 'bar').map(({ series: one, spans: all }) => this.curve(one, all, x, y))}
        ${hideX
          ? nothing
          : data.map((row, index) =>
              index % every ? nothing : svg`<text class="tick" text-anchor="middle" x=${x(index)} y=${this.height - 6}>${cut(this.label(row))}</text>`,
            )}
      </svg>`}
      ${this.at !== null && this.node['showTooltip'] !== false ? this.tooltip(data[this.at]!, series, x(this.at)) : nothing}`;
  }

  private curve(series: Series, all: Span[], x: (index: number) => number, y: (value: number) => number): TemplateResult {
    const known = all.map((span, index) => ({ ...span, index })).filter((span) => span.known);
    const over = line<(typeof known)[number]>((span) => x(span.index), (span) => y(span.to)).curve(series.curve)(known) ?? '';
    if (series.kind === 'line') return svg`<path class="line" d=${over} stroke=${series.color} />`;
    const closed = series.curve === curveBasisClosed || series.curve === curveLinearClosed;
    const under = closed
      ? over
      : (area<(typeof known)[number]>((span) => x(span.index), (span) => y(span.from), (span) => y(span.to)).curve(series.curve)(known) ?? '');
    return svg`<path class="area" d=${under} fill=${series.color} /><path class="line" d=${over} stroke=${series.color} />`;
  }

  private tooltip(row: Record<string, unknown>, series: Series[], x: number): TemplateResult {
    const format = new Intl.NumberFormat(this.ctx.locale.tag);
    return html`<div class="tooltip" role="status" ${styles({ left: `${Math.min(Math.max(x, 70), this.width - 70)}px` })}>
      <strong>${this.label(row)}</strong>
      ${series.map((each) => {
        const value = row[each.key];
        return html`<span><i ${styles({ 'background-color': each.color })}></i>${each.label}<b>${typeof value === 'number' ? format.format(value) : text(value)}</b></span>`;
      })}
    </div>`;
  }

  private point = (event: PointerEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const left = flag(this.node['showYAxis']) ? 44 : 4;
    const index = Math.floor(((event.clientX - box.left - left) / Math.max(1, box.width - left - 6)) * this.data.length);
    this.at = this.data.length ? Math.min(this.data.length - 1, Math.max(0, index)) : null;
  };

  private key = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || !this.data.length) return;
    event.preventDefault();
    const next = this.at === null ? (step > 0 ? 0 : this.data.length - 1) : this.at + step;
    this.at = Math.min(this.data.length - 1, Math.max(0, next));
  };
}

function cut(label: string): string {
  return label.length > 12 ? `${label.slice(0, 11)}…` : label;
}

define('ck-chart', ChartPart);
