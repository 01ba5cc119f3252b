/** A button with a menu (WAI-ARIA menu button): arrows, Home, End, first letters, Escape. */
import { html, nothing, type TemplateResult } from 'lit';
import { icon } from './icons';
import { define, Part } from './part';

export interface MenuItem {
  id: string;
  label: string;
  description?: string | undefined;
  icon?: string | undefined;
  checked?: boolean;
  disabled?: boolean;
  danger?: boolean;
}

export class MenuPart extends Part {
  static override properties = {
    ...Part.properties,
    label: { attribute: false },
    glyph: { attribute: false },
    caption: { attribute: false },
    items: { attribute: false },
    look: { attribute: false },
    disabled: { attribute: false },
    open: { state: true },
  };
  declare label: string;
  declare glyph: string;
  /** Shown beside or instead of the icon. */
  declare caption: string;
  declare items: MenuItem[];
  declare look: string;
  declare disabled: boolean;
  declare open: boolean;
  declare choose: (id: string) => void;

  constructor() {
    super();
    this.open = false;
    this.caption = '';
    this.glyph = '';
    this.look = 'icon-button';
    this.disabled = false;
    this.items = [];
  }

  protected override render(): TemplateResult {
    const choices = this.items.some((item) => item.checked !== undefined);
    return html`<div class="menu" @keydown=${this.key} @focusout=${this.left}>
      <button
        class=${this.look}
        type="button"
        aria-haspopup="menu"
        aria-expanded=${this.open}
        aria-label=${this.caption ? nothing : this.label}
        title=${this.label}
        ?disabled=${this.disabled}
        @click=${() => this.toggle(!this.open)}
      >
        ${this.glyph ? icon(this.glyph) : nothing}${this.caption ? html`<span>${this.caption}</span>${icon('-chevron')}` : nothing}
      </button>
      ${this.open
        ? html`<div class="popup" role="menu" aria-label=${this.label}>
            ${this.items.map(
              (item) => html`<button
                class="option ${item.danger ? 'danger' : ''}"
                type="button"
                tabindex="-1"
                role=${choices && item.checked !== undefined ? 'menuitemradio' : 'menuitem'}
                aria-checked=${item.checked === undefined ? nothing : item.checked}
                aria-disabled=${item.disabled ?? false}
                @click=${() => this.pick(item)}
              >
                ${item.icon ? icon(item.icon, () => this.requestUpdate()) : nothing}
                <span class="grow"
                  >${item.label}${item.description ? html`<span class="hint">${item.description}</span>` : nothing}</span
                >
                ${item.checked ? icon('check') : nothing}
              </button>`,
            )}
          </div>`
        : nothing}
    </div>`;
  }

  private get buttons(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>('.option')];
  }

  toggle(open: boolean): void {
    this.open = open;
    void this.updateComplete.then(() => {
      if (open) (this.querySelector<HTMLElement>('[aria-checked=true]') ?? this.buttons[0])?.focus();
      else this.querySelector<HTMLElement>('[aria-haspopup]')?.focus();
    });
  }

  private pick(item: MenuItem): void {
    if (item.disabled) return;
    this.toggle(false);
    this.choose(item.id);
  }

  private key = (event: KeyboardEvent): void => {
    if (!this.open) {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        this.toggle(true);
      }
      return;
    }
    const { buttons } = this;
    const at = buttons.indexOf((this.getRootNode() as ShadowRoot).activeElement as HTMLElement);
    const to: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 };
    if (event.key === 'Escape') {
      event.stopPropagation();
      this.toggle(false);
    } else if (event.key in to) {
      event.preventDefault();
      buttons[(to[event.key]! + buttons.length) % buttons.length]?.focus();
    } else if (event.key.length === 1 && /\S/.test(event.key)) {
      const letter = event.key.toLocaleLowerCase();
      const order = [...buttons.slice(at + 1), ...buttons.slice(0, at + 1)];
      order.find((each) => each.textContent?.trim().toLocaleLowerCase().startsWith(letter))?.focus();
    }
  };

  private left = (event: FocusEvent): void => {
    if (this.open && event.relatedTarget && !this.contains(event.relatedTarget as Node)) this.open = false;
  };

  /** A press elsewhere closes it. */
  private outside = (event: Event): void => {
    if (this.open && !event.composedPath().includes(this)) this.open = false;
  };

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('pointerdown', this.outside, true);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('pointerdown', this.outside, true);
  }
}

define('ck-menu', MenuPart);
