/** A month to choose a day from (WAI-ARIA grid): arrows, Home, End, Page Up and Down, with Shift for years. */
import { html, nothing, type TemplateResult } from 'lit';
import { icon } from '../view/icons';
import { define, Part } from '../view/part';
import { addMonths, allowed, dateOf, dayOf, nearest, today, weekOf, weeksOf, weekStart, type Day, type Limits } from './days';

/** A day was chosen; `next` says whether the keyboard goes on to what follows the calendar. */
export type DayChosen = CustomEvent<{ day: Day; next: boolean }>;

export class CalendarPart extends Part {
  static override properties = {
    ...Part.properties,
    chosen: { attribute: false },
    limits: { attribute: false },
    at: { state: true },
  };
  declare chosen: Day | null;
  declare limits: Limits;
  /** The day that has or would have the focus; its month is shown. */
  declare at: Day;

  constructor() {
    super();
    this.chosen = null;
    this.limits = { min: null, max: null };
  }

  protected override willUpdate(): void {
    this.at ??= nearest(this.chosen ?? today(new Date()), this.limits);
  }

  override focus(): void {
    this.querySelector<HTMLElement>('td[tabindex="0"]')?.focus({ preventScroll: true });
  }

  private get rtl(): boolean {
    return this.ctx.locale.direction === 'rtl';
  }

  private get start(): number {
    return weekStart(this.ctx.locale.tag);
  }

  private format(options: Intl.DateTimeFormatOptions): (day: Day) => string {
    const format = new Intl.DateTimeFormat(this.ctx.locale.tag, { ...options, calendar: 'gregory', timeZone: 'UTC' });
    return (day) => format.format(dateOf(day));
  }

  protected override render(): TemplateResult {
    const { at, start } = this;
    const { tag } = this.ctx.locale;
    const weeks = weeksOf(at, start);
    const full = this.format({ dateStyle: 'full' });
    const number = new Intl.NumberFormat(tag);
    const now = today(new Date());
    const month = dateOf(at).getUTCMonth();
    const [before, after] = this.rtl ? ['right', 'left'] : ['left', 'right'];
    return html`<div class="w-month">
        ${this.step(-12, 'previousYear', `double-chevron-${before}`)} ${this.step(-1, 'previousMonth', `chevron-${before}`)}
        <span class="grow" aria-live="polite" lang=${tag}>${this.format({ month: 'long', year: 'numeric' })(at)}</span>
        ${this.step(1, 'nextMonth', `chevron-${after}`)} ${this.step(12, 'nextYear', `double-chevron-${after}`)}
      </div>
      <table class="w-days" role="grid" lang=${tag} aria-label=${this.format({ month: 'long', year: 'numeric' })(at)} @keydown=${this.key}>
        <thead>
          <tr>
            ${this.weekdays(weeks[0]!)}
          </tr>
        </thead>
        <tbody>
          ${weeks.map(
            (week) => html`<tr>
              ${week.map(
                (day) => html`<td
                  role="gridcell"
                  class=${dateOf(day).getUTCMonth() === month ? '' : 'outside'}
                  tabindex=${day === at ? 0 : -1}
                  aria-label=${full(day)}
                  aria-selected=${day === this.chosen}
                  aria-current=${day === now ? 'date' : nothing}
                  aria-disabled=${!allowed(day, this.limits)}
                  @click=${() => this.choose(day, false)}
                >
                  ${number.format(dateOf(day).getUTCDate())}
                </td>`,
              )}
            </tr>`,
          )}
        </tbody>
      </table>`;
  }

  private weekdays(week: Day[]): TemplateResult[] {
    const long = this.format({ weekday: 'long' });
    const short = this.format({ weekday: 'short' });
    // Some languages' short names are whole words.
    const shown = week.every((day) => short(day).length <= 3) ? short : this.format({ weekday: 'narrow' });
    return week.map((day) => html`<th scope="col" aria-label=${long(day)}>${shown(day)}</th>`);
  }

  private step(months: number, label: 'previousYear' | 'previousMonth' | 'nextMonth' | 'nextYear', glyph: string): TemplateResult {
    const to = addMonths(this.at, months);
    // Not `disabled`, which would take the focus away at the last month.
    return html`<button
      class="icon-button"
      type="button"
      aria-label=${this.t(label)}
      aria-disabled=${sameMonth(nearest(to, this.limits), this.at)}
      @click=${() => (this.at = nearest(to, this.limits))}
    >
      ${icon(glyph, () => this.requestUpdate())}
    </button>`;
  }

  private key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.choose(this.at, true);
      return;
    }
    const to = this.target(event);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.at = nearest(to, this.limits);
    void this.updateComplete.then(() => this.focus());
  };

  /** The day that a key leads to. */
  private target({ key, shiftKey }: KeyboardEvent): Day | undefined {
    const { at } = this;
    const week = weekOf(at, this.start);
    switch (key) {
      case 'ArrowLeft': return at + (this.rtl ? 1 : -1);
      case 'ArrowRight': return at + (this.rtl ? -1 : 1);
      case 'ArrowUp': return at - 7;
      case 'ArrowDown': return at + 7;
      case 'Home': return week;
      case 'End': return week + 6;
      case 'PageUp': return addMonths(at, shiftKey ? -12 : -1);
      case 'PageDown': return addMonths(at, shiftKey ? 12 : 1);
      default: return undefined;
    }
  }

  private choose(day: Day, next: boolean): void {
    if (!allowed(day, this.limits)) return;
    this.at = day;
    this.dispatchEvent(new CustomEvent('ck-day', { detail: { day, next } }) satisfies DayChosen);
  }
}

function sameMonth(one: Day, other: Day): boolean {
  const [a, b] = [dateOf(one), dateOf(other)];
  return dayOf(a.getUTCFullYear(), a.getUTCMonth(), 1) === dayOf(b.getUTCFullYear(), b.getUTCMonth(), 1);
}

define('ck-calendar', CalendarPart);
