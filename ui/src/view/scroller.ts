/**
 * A long list of rows of which only those near the screen exist, and whose scroll position never jumps: the first row on
 * screen stays where it is, whatever happens to the rows above it.
 */
import { html, type PropertyValues, type TemplateResult } from 'lit';
import { guard } from 'lit/directives/guard.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Row } from './rows';
import { define, Part } from './part';
import { styles } from './styles';

/** Pixels beyond the screen in which rows exist. */
const MARGIN = 600;
/** Pixels from the end at which one still reads the newest. */
const NEAR = 80;

export class ScrollerPart extends Part {
  static override properties = {
    ...Part.properties,
    rows: { attribute: false },
    label: {},
    follow: { attribute: false },
    busy: { attribute: false },
  };
  declare rows: readonly Row[];
  declare label: string;
  /** Whether to stay at the end while it grows, as long as the reader is there. */
  declare follow: boolean;
  declare busy: boolean;

  private heights = new Map<string, number>();
  /** The height of rows that nobody has seen: the average of the first that were drawn. Not changed after, because all
   *  that is above would move. */
  private guess = 0;
  private first = 0;
  private end = 0;
  private anchor: { key: string; top: number } | null = null;
  /** Stay at the end until the reader scrolls: a thread that was just opened. */
  private pinned = true;
  /** The last message of the user stands at the top of the screen, with room for its answer below. */
  private leading = false;
  /** It has to be put there yet. */
  private led = true;
  private spacer = 0;
  private atEnd = true;
  /** Where the list was scrolled to last by itself. */
  private moved = 0;
  private observer = new ResizeObserver(() => this.settle());
  private watched = new Set<Element>();

  constructor() {
    super();
    this.rows = [];
    this.label = '';
    this.follow = false;
    this.busy = false;
  }

  get box(): HTMLElement {
    return this.firstElementChild as HTMLElement;
  }

  /** Go to the end, and stay there while rows are measured. */
  toEnd(smooth = false): void {
    this.pinned = true;
    if (smooth && !matchMedia('(prefers-reduced-motion: reduce)').matches)
      this.box.scrollTo({ top: this.box.scrollHeight, behavior: 'smooth' });
    else this.requestUpdate();
  }

  /** Another list: nothing of the old one counts. */
  reset(): void {
    this.heights.clear();
    this.guess = 0;
    this.leading = false;
    this.led = true;
    this.spacer = 0;
    this.anchor = null;
    this.pinned = true;
    this.requestUpdate();
  }

  /** Put the message that was just sent to the top of the screen and leave room for its answer below. */
  lead(): void {
    this.leading = true;
    this.led = false;
    this.pinned = false;
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.observer.disconnect();
    this.watched.clear();
  }

  private height(row: Row): number {
    return this.heights.get(row.key) ?? (this.guess || 120);
  }

  protected override willUpdate(): void {
    const view = this.box?.clientHeight || 800;
    let total = 0;
    for (const row of this.rows) total += this.height(row);
    const top = this.pinned ? Math.max(0, total - view) : this.place();
    let at = 0;
    let first = 0;
    while (first < this.rows.length && at + this.height(this.rows[first]!) < top - MARGIN) at += this.height(this.rows[first++]!);
    let end = first;
    while (end < this.rows.length && at < top + view + MARGIN) at += this.height(this.rows[end++]!);
    this.first = first;
    this.end = end;
  }

  /** Where the screen will be: the row that is read may have been moved by rows that came before it. */
  private place(): number {
    const { anchor } = this;
    if (!anchor) return this.box?.scrollTop ?? 0;
    let above = 0;
    for (const row of this.rows) {
      if (row.key === anchor.key) return Math.max(0, above - anchor.top);
      above += this.height(row);
    }
    return this.box.scrollTop;
  }

  protected override render(): TemplateResult {
    let above = 0;
    let below = 0;
    for (let index = 0; index < this.first; index++) above += this.height(this.rows[index]!);
    for (let index = this.end; index < this.rows.length; index++) below += this.height(this.rows[index]!);
    return html`<div
      class="scroll"
      tabindex="0"
      role="region"
      aria-label=${this.label}
      aria-busy=${this.busy}
      @scroll=${this.scrolled}
      @wheel=${this.free}
      @touchmove=${this.free}
      @keydown=${this.free}
    >
      <div class="rows">
        <div ${styles({ height: `${above}px` })}></div>
        ${repeat(
          this.rows.slice(this.first, this.end),
          (row) => row.key,
          (row) => html`<div class="row" data-key=${row.key}>${guard([...row.version], () => row.draw())}</div>`,
        )}
        <div class="below" ${styles({ height: `${below}px` })}></div>
      </div>
    </div>`;
  }

  protected override updated(_: PropertyValues): void {
    const present = new Set<Element>(this.box.querySelectorAll(':scope > .rows > .row'));
    for (const row of this.watched) if (!present.has(row)) this.observer.unobserve(row);
    for (const row of present) if (!this.watched.has(row)) this.observer.observe(row);
    this.watched = present;
    this.settle();
  }

  /** Measure what is there, then put the screen where it belongs. */
  private settle(): void {
    const { box } = this;
    if (!box) return;
    let changed = false;
    let sum = 0;
    for (const row of this.watched as Set<HTMLElement>) {
      const height = row.getBoundingClientRect().height;
      const key = row.dataset['key']!;
      if (Math.abs((this.heights.get(key) ?? -1) - height) > 0.5) {
        this.heights.set(key, height);
        changed = true;
      }
      sum += height;
    }
    if (!this.guess && this.watched.size) this.guess = Math.max(24, sum / this.watched.size);
    this.room();
    if (!this.led) this.toLead();
    else if (this.pinned || (this.follow && this.busy && this.atEnd)) this.move(box.scrollHeight);
    else this.hold();
    this.remember(false);
    if (changed) this.requestUpdate();
  }

  /** Room below the last message of the user, so that it can stand at the top while the answer grows. */
  private room(): void {
    let needed = 0;
    const start = this.leading ? this.rows.findLastIndex((row) => row.lead) : -1;
    if (start >= 0) {
      let used = 0;
      for (let index = start; index < this.rows.length; index++) used += this.height(this.rows[index]!);
      needed = Math.max(0, this.box.clientHeight - used - 24);
    }
    if (Math.abs(needed - this.spacer) < 1) return;
    this.spacer = needed;
    (this.box.querySelector('.rows') as HTMLElement).style.setProperty('padding-block-end', `${needed}px`);
  }

  private toLead(): void {
    const key = this.rows.findLast((row) => row.lead)?.key;
    const row = [...(this.watched as Set<HTMLElement>)].find((each) => each.dataset['key'] === key);
    if (!row) {
      // Not drawn yet: go to the end, where it is.
      this.move(this.box.scrollHeight);
      return;
    }
    this.led = true;
    this.move(this.box.scrollTop + row.getBoundingClientRect().top - this.box.getBoundingClientRect().top - 12);
  }

  /** Undo what the rows above have done to the first row on screen. */
  private hold(): void {
    if (!this.anchor) return;
    const { key, top } = this.anchor;
    for (const row of this.watched as Set<HTMLElement>) {
      if (row.dataset['key'] !== key) continue;
      const moved = row.getBoundingClientRect().top - this.box.getBoundingClientRect().top - top;
      if (Math.abs(moved) > 0.5) this.move(this.box.scrollTop + moved);
      return;
    }
  }

  /** Note the first row on screen. Less than a pixel is no scrolling, unless the reader did it: it would add up. */
  private remember(scrolled: boolean): void {
    const edge = this.box.getBoundingClientRect().top;
    const before = this.anchor;
    this.anchor = null;
    for (const row of this.watched as Set<HTMLElement>) {
      const { top, bottom } = row.getBoundingClientRect();
      if (bottom <= edge) continue;
      this.anchor = { key: row.dataset['key']!, top: top - edge };
      if (!scrolled && before?.key === this.anchor.key && Math.abs(before.top - this.anchor.top) < 1) this.anchor = before;
      break;
    }
    const left = this.box.scrollHeight - this.box.clientHeight - this.box.scrollTop - this.spacer;
    const atEnd = left < NEAR;
    if (atEnd !== this.atEnd) {
      this.atEnd = atEnd;
      this.dispatchEvent(new CustomEvent('ck-end', { detail: atEnd }));
    }
  }

  private move(top: number): void {
    this.box.scrollTop = top;
    this.moved = this.box.scrollTop;
  }

  private free = (): void => {
    this.pinned = false;
  };

  private scrolled = (): void => {
    // Up and away from the end, and not by us: the scroll bar, or a script of the page.
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    if (scrollTop < this.moved - 1 && scrollHeight - clientHeight - scrollTop > NEAR) this.pinned = false;
    if (this.box.scrollTop < MARGIN) this.dispatchEvent(new CustomEvent('ck-top'));
    this.remember(true);
    this.requestUpdate();
  };
}

define('ck-scroller', ScrollerPart);
