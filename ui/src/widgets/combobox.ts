/** A select whose options can be searched or have descriptions (WAI-ARIA combobox with a listbox). Its value is in a hidden field of the form. */
import { html, nothing, type TemplateResult } from 'lit';
import { icon } from '../view/icons';
import { define, Part } from '../view/part';

interface Option {
  value: string;
  label: string;
  description?: string;
  disabled?: boolean;
}

export class ComboboxPart extends Part {
  static override properties = {
    ...Part.properties,
    fieldId: { attribute: false },
    name: { attribute: false },
    label: { attribute: false },
    searchable: { attribute: false },
    options: { attribute: false },
    preset: { attribute: false },
    look: { attribute: false },
    clearable: { attribute: false },
    disabled: { attribute: false },
    placeholder: { attribute: false },
    open: { state: true },
    query: { state: true },
    active: { state: true },
    value: { state: true },
  };
  declare fieldId: string;
  declare name: string;
  declare label: string;
  declare searchable: boolean;
  declare options: Option[];
  declare preset: string;
  declare look: string;
  declare clearable: boolean;
  declare disabled: boolean;
  declare placeholder: string;
  declare open: boolean;
  declare query: string;
  declare active: number;
  declare value: string | undefined;

  constructor() {
    super();
    this.open = false;
    this.query = '';
    this.active = 0;
  }

  private get chosen(): Option | undefined {
    const value = this.value ?? this.preset;
    return this.options.find((each) => each.value === value);
  }

  private get found(): Option[] {
    const query = this.query.trim().toLocaleLowerCase();
    return query ? this.options.filter((each) => each.label.toLocaleLowerCase().includes(query)) : this.options;
  }

  protected override render(): TemplateResult {
    const { found, chosen } = this;
    const list = `${this.fieldId}-list`;
    return html`<div class="w-combobox" @focusout=${this.left}>
      <input type="hidden" data-field=${this.name} .value=${chosen?.value ?? ''} ?disabled=${this.disabled} />
      <input
        class=${this.look}
        id=${this.fieldId}
        role="combobox"
        aria-label=${this.label}
        aria-expanded=${this.open}
        aria-controls=${this.open ? list : nothing}
        aria-autocomplete=${this.searchable ? 'list' : 'none'}
        aria-activedescendant=${this.open && found[this.active] ? `${list}-${this.active}` : nothing}
        autocomplete="off"
        placeholder=${this.placeholder || this.t('choose')}
        .value=${this.open && this.searchable ? this.query : (chosen?.label ?? '')}
        ?readonly=${!this.searchable}
        ?disabled=${this.disabled}
        @click=${this.show}
        @input=${this.typed}
        @keydown=${this.key}
      />
      ${this.clearable && chosen && !this.disabled
        ? html`<button class="icon-button" type="button" aria-label=${this.t('clear')} @click=${() => this.choose('')}>${icon('close')}</button>`
        : html`<span class="w-chevron">${icon('-chevron')}</span>`}
      ${this.open
        ? html`<ul class="popup" role="listbox" id=${list} aria-label=${this.label}>
            ${found.length
              ? found.map((each, index) => this.option(each, index, `${list}-${index}`))
              : html`<li class="none" role="option" aria-disabled="true" aria-selected="false">${this.t('nothingFound')}</li>`}
          </ul>`
        : nothing}
    </div>`;
  }

  private option(each: Option, index: number, id: string): TemplateResult {
    return html`<li
      id=${id}
      role="option"
      class="option ${index === this.active ? 'active' : ''}"
      aria-selected=${each.value === this.chosen?.value}
      aria-disabled=${each.disabled ?? false}
      @pointerdown=${(event: Event) => event.preventDefault()}
      @click=${() => !each.disabled && this.choose(each.value)}
    >
      <span class="grow">${each.label}${each.description ? html`<span class="hint">${each.description}</span>` : nothing}</span>
      ${each.value === this.chosen?.value ? icon('check') : nothing}
    </li>`;
  }

  private show = (): void => {
    if (this.open || this.disabled) return;
    this.query = '';
    this.open = true;
    this.active = Math.max(0, this.options.findIndex((each) => each.value === this.chosen?.value));
  };

  private typed = (event: Event): void => {
    event.stopPropagation();
    this.query = (event.target as HTMLInputElement).value;
    this.open = true;
    this.active = 0;
  };

  private key = (event: KeyboardEvent): void => {
    const { found } = this;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (!this.open) return this.show();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      this.active = (this.active + step + found.length) % Math.max(1, found.length);
      void this.updateComplete.then(() => this.querySelector('.option.active')?.scrollIntoView({ block: 'nearest' }));
    } else if (event.key === 'Enter' || (event.key === ' ' && !this.searchable)) {
      // Not the form's.
      event.preventDefault();
      if (!this.open) return this.show();
      const each = found[this.active];
      if (each && !each.disabled) this.choose(each.value);
    } else if (event.key === 'Escape' && this.open) {
      event.stopPropagation();
      this.open = false;
    }
  };

  private left = (event: FocusEvent): void => {
    if (!this.contains(event.relatedTarget as Node | null)) this.open = false;
  };

  private choose(value: string): void {
    this.value = value;
    this.open = false;
    void this.updateComplete.then(() => {
      const field = this.querySelector<HTMLInputElement>('input[type=hidden]');
      field?.dispatchEvent(new Event('change', { bubbles: true }));
    });
  }
}

define('ck-combobox', ComboboxPart);
