/** Components that a user works with. */
import { html, nothing } from 'lit';
import { icon } from '../view/icons';
import { styles } from '../view/styles';
import type { ActionConfig, WidgetNode } from '../wire/types';
import './combobox';
import './datepicker';
import { parse } from './days';
import { put, valueOf } from './form';
import { flag, number, text, word } from './props';
import { actionOf, labelled, waits, type Component, type Drawing, type Scope } from './scope';

const SIZES = ['md', '3xs', '2xs', 'xs', 'sm', 'lg', 'xl', '2xl', '3xl'] as const;
const VARIANTS = ['outline', 'solid', 'soft', 'ghost'] as const;

export const Button: Component = (node, scope) => {
  // Without a form to submit, its own action is all it has.
  const submit = flag(node['submit']) && scope.form !== undefined;
  const action = submit ? (scope.form ?? null) : actionOf(node['onClickAction']);
  const primary = node['style'] === 'primary';
  const tone = word(node['color'], [
    primary ? 'primary' : 'secondary', 'primary', 'secondary', 'info', 'discovery', 'success', 'caution', 'warning', 'danger',
  ]);
  const variant = node['variant'] === undefined ? (primary || node['color'] ? 'solid' : 'soft') : word(node['variant'], VARIANTS);
  const busy = scope.busy(action);
  const label = text(node['label']);
  const click = (event: Event): void => {
    if (action) scope.run(action, event.currentTarget as Element, 'self');
  };
  return html`<button
    class="w-button c-${tone} v-${variant} h-${word(node['size'], SIZES)} i-${word(node['iconSize'], ['md', 'sm', 'lg', 'xl', '2xl'])} ${mark(
      node, ['pill', 'uniform', 'block'],
    )}"
    type=${submit ? 'submit' : 'button'}
    aria-label=${label ? nothing : text(node['iconStart'] ?? node['iconEnd']) || '…'}
    aria-busy=${busy}
    ?disabled=${flag(node['disabled']) || busy || waits(action, scope)}
    @click=${action && !submit ? click : nothing}
  >
    ${busy ? icon('-loader') : icon(text(node['iconStart']), () => scope.redraw())}${label}${icon(text(node['iconEnd']), () => scope.redraw())}
  </button>`;
};

function mark(node: WidgetNode, names: string[]): string {
  return names.filter((name) => flag(node[name])).join(' ');
}

function look(node: WidgetNode): string {
  const gutter = node['gutterSize'] ? `g-${word(node['gutterSize'], ['md', '2xs', 'xs', 'sm', 'lg', 'xl'])}` : '';
  return `w-field v-${word(node['variant'], VARIANTS)} h-${word(node['size'], SIZES)} ${gutter} ${mark(node, ['pill', 'block'])}`;
}

/** What all text fields have in common, as attributes of one kind of element. */
function field(node: WidgetNode, scope: Scope) {
  const name = text(node['name']);
  return {
    id: `${scope.prefix}-${name}`,
    name,
    label: text(node['placeholder']) || name,
    placeholder: text(node['placeholder']) || nothing,
    ignore: flag(node['allowAutofillExtensions']) ? nothing : '',
  };
}

export const Input: Component = (node, scope) => {
  const { id, name, label, placeholder, ignore } = field(node, scope);
  return html`<input
    class=${look(node)}
    id=${id}
    data-field=${name}
    aria-label=${labelled(scope, name) ? nothing : label}
    type=${word(node['inputType'], ['text', 'number', 'email', 'password', 'tel', 'url'])}
    step="any"
    value=${text(node['defaultValue'])}
    placeholder=${placeholder}
    pattern=${text(node['pattern']) || nothing}
    autocomplete=${ignore === nothing ? 'on' : 'off'}
    data-1p-ignore=${ignore}
    ?required=${flag(node['required'])}
    ?disabled=${flag(node['disabled'])}
    ?data-autofocus=${flag(node['autoFocus'])}
    ?data-autoselect=${flag(node['autoSelect'])}
  />`;
};

export const Textarea: Component = (node, scope) => {
  const { id, name, label, placeholder, ignore } = field(node, scope);
  const rows = number(node['rows']) ?? 3;
  const [grows, most] = [flag(node['autoResize']), number(node['maxRows'])];
  return html`<textarea
    class="${look(node)} ${grows ? 'grows' : ''}"
    id=${id}
    data-field=${name}
    aria-label=${labelled(scope, name) ? nothing : label}
    rows=${rows}
    placeholder=${placeholder}
    data-pattern=${text(node['pattern']) || nothing}
    data-1p-ignore=${ignore}
    ?required=${flag(node['required'])}
    ?disabled=${flag(node['disabled'])}
    ?data-autofocus=${flag(node['autoFocus'])}
    ?data-autoselect=${flag(node['autoSelect'])}
    .defaultValue=${text(node['defaultValue'])}
    ${styles({ 'min-height': grows ? `calc(${rows}lh + 16px)` : undefined, 'max-height': most ? `calc(${most}lh + 16px)` : undefined })}
  ></textarea>`;
};

/** Run the action of a control whose value has changed; the value goes along, also outside a form. */
function changed(action: ActionConfig | null, name: string, scope: Scope) {
  return (event: Event): void => {
    if (!action || waits(action, scope)) return;
    const own: Record<string, unknown> = {};
    put(own, name, valueOf(event.target as HTMLInputElement));
    scope.run(action, event.currentTarget as Element, 'none', own);
  };
}

interface Option {
  value: string;
  label: string;
  description?: string;
  disabled?: boolean;
}

function optionsOf(node: WidgetNode): Option[] {
  const list = Array.isArray(node['options']) ? (node['options'] as unknown[]) : [];
  return list
    .filter((each): each is Record<string, unknown> => typeof each === 'object' && each !== null)
    .map(({ value, label, description, disabled }) => ({
      value: text(value),
      label: text(label) || text(value),
      description: text(description),
      disabled: flag(disabled),
    }));
}

export const Select: Component = (node, scope) => {
  const { id, name, label } = field(node, scope);
  const options = optionsOf(node);
  const action = actionOf(node['onChangeAction']);
  const preset = text(node['defaultValue']);
  const chosen = options.some(({ value }) => value === preset) ? preset : '';
  const searchable = typeof node['searchable'] === 'boolean' ? node['searchable'] : options.length > 15;
  // The browser's own select has no room for descriptions.
  if (searchable || options.some(({ description }) => description))
    return html`<ck-combobox
      .ctx=${scope.ctx}
      .fieldId=${id}
      .name=${name}
      .label=${labelled(scope, name) || label}
      .searchable=${searchable}
      .options=${options}
      .preset=${chosen}
      .look=${look(node)}
      .clearable=${flag(node['clearable'])}
      .disabled=${flag(node['disabled'])}
      .placeholder=${text(node['placeholder'])}
      @change=${changed(action, name, scope)}
    ></ck-combobox>`;
  return html`<select
    class=${look(node)}
    id=${id}
    data-field=${name}
    aria-label=${labelled(scope, name) ? nothing : label}
    ?disabled=${flag(node['disabled'])}
    @change=${changed(action, name, scope)}
  >
    ${!chosen || flag(node['clearable'])
      ? html`<option value="" ?selected=${!chosen}>${text(node['placeholder']) || scope.ctx.locale.t('choose')}</option>`
      : nothing}
    ${options.map((each) => html`<option value=${each.value} ?selected=${each.value === chosen} ?disabled=${each.disabled}>${each.label}</option>`)}
  </select>`;
};

export const DatePicker: Component = (node, scope) => {
  const { id, name, label } = field(node, scope);
  return html`<ck-datepicker
    .ctx=${scope.ctx}
    .fieldId=${id}
    .name=${name}
    .label=${labelled(scope, name) || label}
    .preset=${parse(node['defaultValue'])}
    .limits=${{ min: parse(node['min']), max: parse(node['max']) }}
    .look=${look(node)}
    .side=${word(node['side'], ['bottom', 'top', 'left', 'right'])}
    .align=${word(node['align'], ['start', 'center', 'end'])}
    .clearable=${flag(node['clearable'])}
    .disabled=${flag(node['disabled'])}
    .placeholder=${text(node['placeholder'])}
    @change=${changed(actionOf(node['onChangeAction']), name, scope)}
  ></ck-datepicker>`;
};

export const Checkbox: Component = (node, scope) => {
  const { id, name } = field(node, scope);
  const label = text(node['label']);
  return html`<label class="w-check">
    <input
      type="checkbox"
      id=${id}
      data-field=${name}
      aria-label=${label || labelled(scope, name) ? nothing : name}
      ?checked=${node['defaultChecked'] === true || node['defaultChecked'] === 'true'}
      ?required=${flag(node['required'])}
      ?disabled=${flag(node['disabled'])}
      @change=${changed(actionOf(node['onChangeAction']), name, scope)}
    />
    ${label ? html`<span dir="auto">${label}</span>` : nothing}
  </label>`;
};

export const RadioGroup: Component = (node, scope) => {
  const { id, name } = field(node, scope);
  const change = changed(actionOf(node['onChangeAction']), name, scope);
  const label = text(node['ariaLabel']) || labelled(scope, name) || name;
  return html`<div class="w-radios w-${node['direction'] === 'col' ? 'column' : 'row'}" role="radiogroup" id=${id} aria-label=${label}>
    ${optionsOf(node).map(
      ({ value, label: each, disabled }): Drawing => html`<label class="w-check">
        <input
          type="radio"
          name=${id}
          value=${value}
          data-field=${name}
          ?checked=${value === node['defaultValue']}
          ?required=${flag(node['required'])}
          ?disabled=${flag(node['disabled']) || disabled === true}
          @change=${change}
        />
        <span dir="auto">${each}</span>
      </label>`,
    )}
  </div>`;
};
