/** From a component's type to its drawing. What nobody knows is named, and what is in it is drawn all the same. */
import { html, nothing } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { repeat } from 'lit/directives/repeat.js';
import type { WidgetNode } from '../wire/types';
import { Chart } from './chart';
import * as controls from './controls';
import * as layout from './layout';
import type { Component, Drawing, Scope } from './scope';
import * as texts from './texts';

const COMPONENTS: Record<string, Component> = { ...layout, ...texts, ...controls, Chart };

/** Deeper than any real widget; a cycle cannot come over the wire, but a bomb can. */
const DEPTH = 60;
let depth = 0;

export function isNode(value: unknown): value is WidgetNode {
  return typeof value === 'object' && value !== null && typeof (value as WidgetNode).type === 'string';
}

export function draw(node: WidgetNode, scope: Scope): Drawing {
  const component = Object.hasOwn(COMPONENTS, node.type) ? COMPONENTS[node.type] : undefined;
  if (depth > DEPTH) return nothing;
  depth++;
  try {
    return component ? component(node, scope) : unknown(node, scope);
  } finally {
    depth--;
  }
}

/** What is in a component: one, several or none. */
export function children(node: WidgetNode, scope: Scope): Drawing {
  const value = node['children'];
  const list = (Array.isArray(value) ? value : [value]).filter(isNode);
  if (node.type === 'Transition')
    return list[0] ? html`${keyed(list[0].key ?? list[0].id ?? list[0].type, draw(list[0], scope))}` : nothing;
  const named = list.every((each) => each.key ?? each.id) && new Set(list.map((each) => each.key ?? each.id)).size === list.length;
  return named
    ? html`${repeat(list, (each) => each.key ?? each.id, (each) => draw(each, scope))}`
    : html`${list.map((each) => draw(each, scope))}`;
}

function unknown(node: WidgetNode, scope: Scope): Drawing {
  const name = node.type.slice(0, 40);
  return html`<div class="w-unknown" role="note">${scope.ctx.locale.t('unknownWidget', name)}</div>
    ${children(node, scope)}`;
}
