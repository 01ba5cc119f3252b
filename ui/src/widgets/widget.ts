/** A widget in the conversation: draws its root, runs its actions, shows that they run. */
import { html, type TemplateResult } from 'lit';
import { properties, themeOf } from '../theme/theme';
import { widgets } from '../theme/widgets';
import { define, Part } from '../view/part';
import { styles } from '../view/styles';
import { ChatKitError } from '../wire/errors';
import type { ActionConfig, WidgetItem, WidgetNode } from '../wire/types';
import { merge, valuesOf } from './form';
import type { Scheme } from './props';
import { draw } from './render';
import type { Scope } from './scope';

let count = 0;

export class WidgetPart extends Part {
  static override properties = {
    ...Part.properties,
    item: { attribute: false },
    preview: { attribute: false },
    blocked: { attribute: false },
    opened: { state: true },
    shown: { state: true },
    busy: { state: true },
  };
  declare item: WidgetItem | null;
  /** A root without an item: an entity's preview. */
  declare preview: WidgetNode | null;
  declare blocked: boolean;
  declare opened: ReadonlySet<string>;
  declare shown: ReadonlySet<string>;
  declare busy: ReadonlySet<string>;
  private whole = false;
  private readonly unique = `ck-w${++count}`;

  constructor() {
    super();
    this.item = null;
    this.preview = null;
    this.blocked = false;
    this.opened = new Set();
    this.shown = new Set();
    this.busy = new Set();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Loaded with the first widget, like this part itself.
    const { adoptedStyleSheets } = this.getRootNode() as ShadowRoot;
    const own = widgets.styleSheet!;
    if (!adoptedStyleSheets.includes(own)) adoptedStyleSheets.push(own);
  }

  protected override render(): TemplateResult {
    const root = this.item?.widget ?? this.preview ?? { type: 'Basic' };
    const page = themeOf(this.ctx.options.theme);
    const scheme: Scheme = root['theme'] === 'light' || root['theme'] === 'dark' ? root['theme'] : (page.colorScheme ?? 'light');
    const other = scheme !== (page.colorScheme ?? 'light');
    const own = other ? properties({ ...page, colorScheme: scheme }) : {};
    return html`<div
      class="widget ${this.whole ? 'fading' : ''} ${other ? 'other' : ''}"
      ?inert=${this.whole}
      aria-busy=${this.whole || this.busy.size > 0}
      @focusin=${this.select}
      @input=${this.check}
      ${styles(own)}
    >
      ${draw(root, this.scope(scheme))}
    </div>`;
  }

  protected override firstUpdated(): void {
    // Only what has just been made may take the focus.
    const fresh = this.item && Date.now() - Date.parse(this.item.created_at) < 10_000;
    if (fresh) this.querySelector<HTMLElement>('[data-autofocus]')?.focus();
  }

  private select = (event: Event): void => {
    const field = event.target as HTMLInputElement;
    if ('autoselect' in (field.dataset ?? {})) field.select();
  };

  /** Patterns of text areas, which HTML knows for inputs only. */
  private check = (event: Event): void => {
    const field = event.target as HTMLTextAreaElement;
    const pattern = field.dataset?.['pattern'];
    if (!pattern) return;
    let fits = true;
    try {
      fits = new RegExp(`^(?:${pattern})$`, 'v').test(field.value);
    } catch {
      // no pattern that this browser knows
    }
    field.setCustomValidity(fits || !field.value ? '' : pattern);
  };

  private scope(scheme: Scheme): Scope {
    const { ctx, item, blocked, opened, shown } = this;
    return {
      ctx,
      item: item ?? (this.preview && ({ widget: this.preview } as WidgetItem)),
      scheme,
      blocked,
      prefix: this.unique,
      opened,
      shown,
      toggle: (name) => {
        const next = new Set(this.opened);
        if (!next.delete(name)) next.add(name);
        this.opened = next;
      },
      showImage: (url) => (this.shown = new Set(this.shown).add(url)),
      redraw: () => this.requestUpdate(),
      busy: (action) => action !== null && this.busy.has(keyOf(action)),
      run: (action, from, auto, own) => void this.run(action, from, auto, own),
    };
  }

  private async run(action: ActionConfig, from: Element, auto: 'self' | 'container' | 'none', own?: Record<string, unknown>): Promise<void> {
    const key = keyOf(action);
    if (this.whole || this.busy.has(key)) return;
    const behaviour = action.loadingBehavior ?? 'auto';
    const shows = behaviour === 'auto' ? auto : behaviour;
    const form = from.closest('form');
    const { payload, collisions } = merge(action.payload, { ...(form ? valuesOf(form) : {}), ...own });
    if (collisions.length)
      this.ctx.fail(new ChatKitError('WidgetItemError', `the form and the payload of ${action.type} both have ${collisions.join(', ')}`));
    if (shows === 'self') this.busy = new Set(this.busy).add(key);
    if (shows === 'container') this.whole = true;
    this.requestUpdate();
    try {
      await this.ctx.runAction({ ...action, payload }, this.item);
    } catch (error) {
      this.ctx.fail(error, true);
    } finally {
      const left = new Set(this.busy);
      left.delete(key);
      this.busy = left;
      this.whole = false;
      this.requestUpdate();
    }
  }
}

function keyOf(action: ActionConfig): string {
  return JSON.stringify([action.type, action.payload]);
}

define('ck-widget', WidgetPart);
