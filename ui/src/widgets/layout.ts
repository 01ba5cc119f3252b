/** Roots, and the components that hold others. */
import { html, nothing } from 'lit';
import { icon } from '../view/icons';
import { styles } from '../view/styles';
import type { ActionConfig, WidgetNode } from '../wire/types';
import { align, background, border, box, color, distance, flag, length, number, spacing, text, word } from './props';
import { children, isNode } from './render';
import { actionOf, waits, type Component, type Drawing, type Scope } from './scope';

/** Keeps a submission inside the widget. */
function submitting(action: ActionConfig | null, scope: Scope, auto: 'self' | 'container') {
  return (event: SubmitEvent): void => {
    event.preventDefault();
    event.stopPropagation();
    if (action && !waits(action, scope)) scope.run(action, event.submitter ?? (event.currentTarget as Element), auto);
  };
}

export const Card: Component = (node, scope) => {
  const size = word(node['size'], ['md', 'sm', 'lg', 'full']);
  const confirm = cardAction(node['confirm']);
  const cancel = cardAction(node['cancel']);
  const asForm = flag(node['asForm']);
  const inside = asForm ? { ...scope, form: confirm?.action ?? null } : scope;
  const closed = flag(node['collapsed']) && !scope.opened.has('card');
  const status = statusOf(node['status'], scope);
  const padding = spacing('padding', node['padding']);
  // What is flush reaches the card's edge, through this much.
  const pad = padding['padding-left'] ?? (typeof padding['padding'] === 'string' && !padding['padding'].includes(' ') ? padding['padding'] : null);
  const body = html`<div class="w-body" ${styles({ '--pad': pad, ...padding })}>
    ${children(node, inside)}
  </div>`;
  const footer =
    confirm || cancel
      ? html`<div class="w-footer">
          ${cancel ? footButton(cancel, 'secondary', false, scope) : nothing} ${confirm ? footButton(confirm, 'primary', asForm, scope) : nothing}
        </div>`
      : nothing;
  const inner = html`${status !== nothing || flag(node['collapsed'])
      ? html`<div class="w-status">
          <span class="grow">${status}</span>
          ${flag(node['collapsed'])
            ? html`<button
                class="icon-button"
                type="button"
                aria-expanded=${!closed}
                aria-label=${scope.ctx.locale.t('details')}
                @click=${() => scope.toggle('card')}
              >
                ${icon('-chevron')}
              </button>`
            : nothing}
        </div>`
      : nothing}
    ${closed ? nothing : body} ${closed ? nothing : footer}`;
  const look = styles({ ...border(node['border'], scope.scheme), ...background(node['background'], scope.scheme) });
  return asForm
    ? html`<form class="w-card w-${size}" @submit=${submitting(confirm?.action ?? null, scope, 'container')} ${look}>${inner}</form>`
    : html`<div class="w-card w-${size}" ${look}>${inner}</div>`;
};

function cardAction(value: unknown): { label: string; action: ActionConfig } | null {
  const { label, action } = (value ?? {}) as Record<string, unknown>;
  const found = actionOf(action);
  return found ? { label: text(label), action: found } : null;
}

function footButton({ label, action }: { label: string; action: ActionConfig }, kind: string, submit: boolean, scope: Scope): Drawing {
  const click = (event: Event): void => scope.run(action, event.currentTarget as Element, 'container');
  return html`<button
    class="button ${kind}"
    type=${submit ? 'submit' : 'button'}
    ?disabled=${waits(action, scope)}
    aria-busy=${scope.busy(action)}
    @click=${submit ? nothing : click}
  >
    ${scope.busy(action) ? icon('-loader') : nothing}${label}
  </button>`;
}

function statusOf(value: unknown, scope: Scope): Drawing {
  const { text: line, icon: name, favicon, frame } = (value ?? {}) as Record<string, unknown>;
  if (!line) return nothing;
  const picture = text(favicon);
  return html`<span class="w-status-text">
    ${picture && scope.ctx.images(picture)
      ? html`<img class="favicon ${flag(frame) ? 'frame' : ''}" src=${picture} alt="" referrerpolicy="no-referrer" />`
      : icon(text(name), () => scope.redraw())}
    ${text(line)}
  </span>`;
}

export const ListView: Component = (node, scope) => {
  const items = list(node['children']).filter(isNode);
  const limit = node['limit'] === 'auto' ? 5 : (number(node['limit']) ?? items.length);
  const all = scope.opened.has('list');
  const shown = all ? items : items.slice(0, Math.max(0, limit));
  const status = statusOf(node['status'], scope);
  return html`<div class="w-list">
    ${status === nothing ? nothing : html`<div class="w-status">${status}</div>`}
    <ul>
      ${shown.map((item) => html`<li>${children({ type: '', children: [item] }, scope)}</li>`)}
    </ul>
    ${items.length > limit
      ? html`<button class="text-button" type="button" aria-expanded=${all} @click=${() => scope.toggle('list')}>
          ${all ? scope.ctx.locale.t('showLess') : scope.ctx.locale.t('showMore', items.length - shown.length)}
        </button>`
      : nothing}
  </div>`;
};

export const ListViewItem: Component = (node, scope) => {
  const action = actionOf(node['onClickAction']);
  const look = styles({ gap: distance(node['gap']), 'align-items': align(node['align']) });
  if (!action) return html`<div class="w-item" ${look}>${children(node, scope)}</div>`;
  // The row's own button lies under its content, so that controls in it stay buttons of their own.
  return html`<div class="w-item click" ${look}>
    <button
      class="w-item-click"
      type="button"
      aria-label=${labelOf(node)}
      ?disabled=${waits(action, scope)}
      @click=${(event: Event) => scope.run(action, event.currentTarget as Element, 'self')}
    ></button>
    ${scope.busy(action) ? icon('-loader') : nothing}${children(node, scope)}
  </div>`;
};

/** The words of a component, for a name. */
function labelOf(node: WidgetNode): string {
  const words: string[] = [];
  const visit = (each: WidgetNode): void => {
    const own = text(each['value'] ?? each['label'] ?? each['alt']);
    if (own) words.push(own);
    for (const child of list(each['children'])) if (isNode(child)) visit(child);
  };
  visit(node);
  return words.join(', ').slice(0, 120) || '…';
}

export const Basic: Component = (node, scope) => html`<div
  class="w-basic ${node['direction'] === 'row' ? 'w-row' : ''}"
  ${styles({ ...box(node, scope.scheme), 'flex-direction': node['direction'] === 'row' ? 'row' : 'column' })}
>
  ${children(node, scope)}
</div>`;

function flex(direction: 'row' | 'column' | null): Component {
  return (node, scope) => {
    const way = direction ?? (node['direction'] === 'row' ? 'row' : 'column');
    return html`<div class="w-box w-${way}" ${styles({ ...box(node, scope.scheme), 'flex-direction': way })}>${children(node, scope)}</div>`;
  };
}

export const Box = flex(null);
export const Row = flex('row');
export const Col = flex('column');

export const Form: Component = (node, scope) => {
  const way = node['direction'] === 'row' ? 'row' : 'column';
  const action = actionOf(node['onSubmitAction']);
  return html`<form
    class="w-box w-form w-${way}"
    ${styles({ ...box(node, scope.scheme), 'flex-direction': way })}
    @submit=${submitting(action, scope, 'self')}
  >
    ${children(node, { ...scope, form: action })}
  </form>`;
};

export const Spacer: Component = (node) =>
  html`<div class="w-spacer" ${styles({ '--least': length(node['minSize']) })}></div>`;

export const Divider: Component = (node, scope) => html`<hr
  class="w-divider ${flag(node['flush']) ? 'flush' : ''}"
  ${styles({
    'background-color': color(node['color'], scope.scheme, 'line'),
    '--thick': length(node['size']),
    '--apart': distance(node['spacing']),
  })}
/>`;

export const Transition: Component = (node, scope) => html`<div class="w-transition">${children(node, scope)}</div>`;

export const Table: Component = (node, scope) => html`<div class="table-scroll" tabindex="0" role="group" aria-label=${scope.ctx.locale.t('details')}>
  <table class="w-table">
    ${list(node['children'])
      .filter(isNode)
      .map((row) => tableRow(row, scope))}
  </table>
</div>`;

function tableRow(row: WidgetNode, scope: Scope): Drawing {
  const cells = list(row['children']).filter(isNode);
  return html`<tr>
    ${cells.map((cell) => {
      const look = styles({
        width: length(cell['width']) ?? COLUMNS[text(cell['colSize'])],
        ...spacing('padding', cell['padding']),
        'text-align': word(cell['align'], ['start', 'center', 'end']),
        'vertical-align': { start: 'top', center: 'middle', end: 'bottom' }[word(cell['vAlign'], ['center', 'start', 'end'])],
      });
      const span = number(cell['colSpan']) ?? nothing;
      const rows = number(cell['rowSpan']) ?? nothing;
      return flag(row['header'])
        ? html`<th scope="col" colspan=${span} rowspan=${rows} ${look}>${children(cell, scope)}</th>`
        : html`<td colspan=${span} rowspan=${rows} ${look}>${children(cell, scope)}</td>`;
    })}
  </tr>`;
}

const COLUMNS: Record<string, string> = { xs: '10%', sm: '20%', md: '33%', lg: '50%', xl: '66%' };

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}
