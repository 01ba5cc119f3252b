/** A date, chosen in a dialog with a calendar (WAI-ARIA date picker dialog). Its value is in a hidden field of the form. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { icon } from '../view/icons';
import { define, Part } from '../view/part';
import type { CalendarPart, DayChosen } from './calendar';
import './calendar';
import { dateOf, fitted, secondsOf, timed, write, type Limits, type Moment } from './days';
import { place, type Align, type Side } from './place';

export class DatePickerPart extends Part {
  static override properties = {
    ...Part.properties,
    fieldId: { attribute: false },
    name: { attribute: false },
    label: { attribute: false },
    preset: { attribute: false },
    limits: { attribute: false },
    look: { attribute: false },
    side: { attribute: false },
    align: { attribute: false },
    clearable: { attribute: false },
    disabled: { attribute: false },
    placeholder: { attribute: false },
    open: { state: true },
    draft: { state: true },
    value: { state: true },
  };
  declare fieldId: string;
  declare name: string;
  declare label: string;
  declare preset: Moment | null;
  declare limits: Limits;
  declare look: string;
  declare side: Side;
  declare align: Align;
  declare clearable: boolean;
  declare disabled: boolean;
  declare placeholder: string;
  declare open: boolean;
  /** What the open dialog shows as chosen. */
  declare draft: Moment | null;
  /** What the user chose; undefined until then. */
  declare value: Moment | null | undefined;
  private listening: AbortController | null = null;

  constructor() {
    super();
    this.open = false;
    this.draft = null;
  }

  /** A default with a time of day asks for one; otherwise a date is a plain day. */
  private get asks(): boolean {
    return timed(this.preset);
  }

  private get chosen(): Moment | null {
    if (this.value !== undefined) return this.value;
    return this.preset && (this.asks ? this.preset : { ...this.preset, time: '', offset: '' });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.listen(false);
    this.open = false;
  }

  protected override render(): TemplateResult {
    const { chosen, open } = this;
    const { tag } = this.ctx.locale;
    const shown = chosen ? this.say(chosen) : '';
    const clears = this.clearable && chosen && !this.disabled;
    return html`<div class="w-date ${clears ? 'clears' : ''}" @keydown=${this.key}>
      <input type="hidden" data-field=${this.name} .value=${chosen ? write(chosen) : ''} ?disabled=${this.disabled} />
      <button
        class=${this.look}
        id=${this.fieldId}
        type="button"
        lang=${tag}
        aria-label=${[this.label, shown].filter(Boolean).join(', ')}
        aria-haspopup="dialog"
        aria-expanded=${open}
        ?disabled=${this.disabled}
        @click=${() => (open ? this.close(true) : this.show())}
      >
        <span class="grow ${shown ? '' : 'unset'}" dir="auto">${shown || this.placeholder || this.t('chooseDate')}</span>
        ${clears ? nothing : icon('calendar', () => this.requestUpdate())}
      </button>
      ${clears
        ? html`<button class="icon-button" type="button" aria-label=${this.t('clear')} @click=${this.clear}>${icon('close')}</button>`
        : nothing}
      ${open ? this.dialog() : nothing}
    </div>`;
  }

  private dialog(): TemplateResult {
    const { draft, asks } = this;
    return html`<div
      class="w-calendar"
      popover="manual"
      role="dialog"
      aria-modal="true"
      aria-label=${this.label || this.t('chooseDate')}
      @change=${(event: Event) => event.stopPropagation()}
    >
      <ck-calendar .ctx=${this.ctx} .chosen=${draft?.day ?? null} .limits=${this.limits} @ck-day=${this.picked}></ck-calendar>
      ${asks
        ? html`<div class="w-time">
            <input
              class="w-field v-outline"
              type="time"
              aria-label=${this.t('time')}
              .value=${live((draft ?? this.preset!).time.slice(0, 5))}
              ?disabled=${!draft}
              @input=${this.typed}
              @blur=${this.fit}
            />
            <button class="button primary" type="button" @click=${() => this.close(true)}>${this.t('done')}</button>
          </div>`
        : nothing}
    </div>`;
  }

  /** In the user's own language, whatever the element's. */
  private say({ day, time }: Moment): string {
    const format = new Intl.DateTimeFormat(this.ctx.locale.tag, {
      dateStyle: 'medium',
      ...(time ? { timeStyle: 'short' } : {}),
      calendar: 'gregory',
      timeZone: 'UTC',
    });
    return format.format(dateOf(day).getTime() + secondsOf(time) * 1000);
  }

  private show(): void {
    this.draft = this.chosen;
    this.open = true;
  }

  protected override updated(changed: PropertyValues): void {
    if (!changed.has('open') || changed.get('open') === undefined) return;
    this.listen(this.open);
    if (!this.open) return;
    this.popup!.showPopover();
    const calendar = this.querySelector<CalendarPart>('ck-calendar')!;
    void calendar.updateComplete.then(() => {
      this.place();
      calendar.focus();
    });
  }

  private get popup(): HTMLElement | null {
    return this.querySelector('.w-calendar');
  }

  private listen(on: boolean): void {
    this.listening?.abort();
    if (!on) return;
    this.listening = new AbortController();
    const { signal } = this.listening;
    document.addEventListener('pointerdown', this.outside, { capture: true, signal });
    // The scrolling of what is in a shadow root is not told outside it.
    for (const each of [window, this.getRootNode()]) each.addEventListener('scroll', this.place, { capture: true, signal });
    window.addEventListener('resize', this.place, { signal });
  }

  private place = (): void => {
    const { popup } = this;
    if (!popup) return;
    const { clientWidth, clientHeight } = document.documentElement;
    // Not its rectangle, which is on the way while it appears.
    const size = { width: popup.offsetWidth, height: popup.offsetHeight };
    const room = { left: 0, top: 0, right: clientWidth, bottom: clientHeight };
    const { side, align } = this;
    const rtl = this.ctx.locale.direction === 'rtl';
    const at = place(this.querySelector('.w-field')!.getBoundingClientRect(), size, room, { side, align, rtl });
    popup.style.setProperty('left', `${at.left}px`);
    popup.style.setProperty('top', `${at.top}px`);
    popup.dataset['side'] = at.side;
  };

  private outside = (event: Event): void => {
    if (!event.composedPath().includes(this)) this.close(false);
  };

  private key = (event: KeyboardEvent): void => {
    if (!this.open) return;
    if (event.key === 'Escape') {
      event.stopPropagation();
      this.close(true, this.chosen);
    } else if (event.key === 'Enter' && event.target instanceof HTMLInputElement) {
      // Not the form's.
      event.preventDefault();
      this.close(true);
    } else if (event.key === 'Tab') this.wrap(event);
  };

  /** The focus stays in the dialog. */
  private wrap(event: KeyboardEvent): void {
    const stops = [...this.popup!.querySelectorAll<HTMLElement>('button, td[tabindex="0"], input:enabled')];
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (event.target !== edge) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0])?.focus();
  }

  private picked = ({ detail: { day, next } }: DayChosen): void => {
    const { time, offset } = this.asks ? (this.draft ?? this.preset!) : { time: '', offset: '' };
    this.draft = fitted({ day, time, offset }, this.limits);
    if (!this.asks) this.close(true);
    else if (next) void this.updateComplete.then(() => this.querySelector<HTMLElement>('input[type=time]')?.focus());
  };

  private typed = (event: Event): void => {
    event.stopPropagation();
    const { value } = event.target as HTMLInputElement;
    // A field that is not complete is no time: the one before stays. Seconds are written as they were.
    if (this.draft && value) this.draft = { ...this.draft, time: this.draft.time.length > 5 ? `${value}:00` : value };
  };

  /** Not while it is typed: 9:05 is on the way to 9:50. */
  private fit = (): void => {
    this.draft = this.draft && fitted(this.draft, this.limits);
    this.requestUpdate();
  };

  private clear = (): void => this.close(true, null);

  /** Take what the dialog shows, or what is said. */
  private close(refocus: boolean, draft = this.draft): void {
    const { chosen } = this;
    const same = (one: Moment | null): boolean => (one && write(one)) === (chosen && write(chosen));
    const taken = same(draft) ? chosen : draft && fitted(draft, this.limits);
    const changed = !same(taken);
    this.open = false;
    if (changed) this.value = taken;
    void this.updateComplete.then(() => {
      if (refocus) this.querySelector<HTMLElement>('button.w-field')?.focus({ preventScroll: true });
      if (changed) this.querySelector('input[type=hidden]')?.dispatchEvent(new Event('change', { bubbles: true }));
    });
  }
}

define('ck-datepicker', DatePickerPart);
