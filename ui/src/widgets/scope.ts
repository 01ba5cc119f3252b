/** What a component needs to draw itself and to act. */
import type { TemplateResult, nothing } from 'lit';
import type { Ctx } from '../view/part';
import type { ActionConfig, WidgetItem, WidgetNode } from '../wire/types';
import { text, type Scheme } from './props';

export interface Scope {
  readonly ctx: Ctx;
  /** The item the widget is in; null in a preview. */
  readonly item: WidgetItem | null;
  readonly scheme: Scheme;
  /** An answer is being streamed: actions that would begin another wait. */
  readonly blocked: boolean;
  /** Unique in the page, for names and ids. */
  readonly prefix: string;
  /** Parts that the user opened, by a name of their own. */
  readonly opened: ReadonlySet<string>;
  /** Images that the user asked for. */
  readonly shown: ReadonlySet<string>;
  /** What the form around does when it is submitted; undefined where there is no form. */
  readonly form?: ActionConfig | null;
  toggle(name: string): void;
  showImage(url: string): void;
  redraw(): void;
  /** The state of an action's trigger. */
  busy(action: ActionConfig | null): boolean;
  /**
   * Run an action.
   *
   * `from` is the control that started it: its form's values go along. `auto` is what its loading behaviour means here.
   */
  run(action: ActionConfig, from: Element, auto: 'self' | 'container' | 'none', own?: Record<string, unknown>): void;
}

export type Drawing = TemplateResult | typeof nothing | string;
export type Component = (node: WidgetNode, scope: Scope) => Drawing;

/** An action as the widget says it, or null when it is none. */
export function actionOf(value: unknown): ActionConfig | null {
  const action = value as ActionConfig | null | undefined;
  return typeof action === 'object' && action !== null && typeof action.type === 'string' ? action : null;
}

/** Whether an action has to wait until the answer is complete. */
export function waits(action: ActionConfig | null, scope: Scope): boolean {
  return scope.blocked && action !== null && action.handler !== 'client' && action.streaming !== false;
}

/** The words of the Label of this widget that names that field; a field that has one needs no name of its own. */
export function labelled(scope: Scope, name: string): string {
  const find = (value: unknown): string => {
    if (Array.isArray(value)) return value.map(find).find(Boolean) ?? '';
    if (typeof value !== 'object' || value === null) return '';
    const node = value as WidgetNode;
    return node.type === 'Label' && node['fieldName'] === name ? text(node['value']) : find(node['children']);
  };
  return find(scope.item?.widget);
}
