/** What every part of the element shares. Parts draw into the element's one shadow root: one style sheet, one tree of ids. */
import type { ChatKitEvents, Entity } from '@openai/chatkit';
import { LitElement, type PropertyDeclarations } from 'lit';
import type { Chat } from '../state/chat';
import type { Composer } from '../state/composer';
import type { History } from '../state/history';
import type { Options } from '../state/options';
import type { Key } from '../strings/en';
import type { Locale } from '../strings/locale';
import type { ImagePolicy } from '../text/images';
import type { ActionConfig, WidgetItem } from '../wire/types';

/** The detail of each event. */
export type Details = { [K in keyof ChatKitEvents]: ChatKitEvents[K] extends CustomEvent<infer D> ? D : never };

export interface Ctx {
  readonly options: Options;
  readonly locale: Locale;
  readonly chat: Chat;
  readonly history: History;
  readonly composer: Composer;
  readonly images: ImagePolicy;
  emit<K extends keyof Details>(name: K, ...detail: Details[K] extends void ? [] : [Details[K]]): void;
  /** Report what went wrong; it is not on screen yet when `say` is true. */
  fail(error: unknown, say?: boolean): void;
  /** Tell a screen reader. */
  announce(text: string): void;
  copy(text: string): void;
  openHistory(open: boolean): void;
  runAction(action: ActionConfig, item: WidgetItem | null): Promise<void>;
  clickEntity(entity: Entity): void;
}

export abstract class Part extends LitElement {
  static override properties: PropertyDeclarations = { ctx: { attribute: false } };
  declare ctx: Ctx;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected t(key: Key, ...values: (string | number)[]): string {
    return this.ctx.locale.t(key, ...values);
  }
}

/** Define a part, once: two copies of this script on a page share the first one's. */
export function define(name: string, part: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, part);
}
