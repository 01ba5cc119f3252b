/** The card beside a citation or a tag: sources, or an entity's preview that the page draws. */
import { html, nothing, type TemplateResult } from 'lit';
import type { WidgetNode } from '../wire/types';
import { entityOf, sourceView, type PopoverRequest } from './citations';
import { define, Part } from './part';
import { styles } from './styles';

export class PopoverPart extends Part {
  static override properties = { ...Part.properties, request: { state: true }, preview: { state: true } };
  declare request: PopoverRequest | null;
  declare preview: WidgetNode | null;
  private timer = 0;

  constructor() {
    super();
    this.request = null;
    this.preview = null;
  }

  show(request: PopoverRequest): void {
    if (this.request?.sticky && !request.sticky) return;
    clearTimeout(this.timer);
    this.request = request;
    this.preview = null;
    void import('../widgets/widget');
    request.anchor.addEventListener('pointerleave', this.leave, { once: true });
    const [only] = request.sources;
    const { onRequestPreview } = this.ctx.options.entities ?? {};
    if (request.sources.length === 1 && only?.type === 'entity' && only.interactive && onRequestPreview)
      void onRequestPreview(entityOf(only)).then(
        ({ preview }) => {
          if (this.request === request) this.preview = preview as WidgetNode | null;
        },
        (error) => this.ctx.fail(error),
      );
    if (request.sticky) void this.updateComplete.then(() => this.querySelector<HTMLElement>('a, button, .popover')?.focus());
  }

  close(refocus: boolean): void {
    if (!this.request) return;
    const { anchor, sticky } = this.request;
    this.request = null;
    if (refocus && sticky) anchor.focus();
  }

  private leave = (): void => {
    if (!this.request?.sticky) this.timer = window.setTimeout(() => this.close(false), 250);
  };

  private outside = (event: Event): void => {
    const path = event.composedPath();
    if (this.request && !path.includes(this) && !path.includes(this.request.anchor)) this.close(false);
  };

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('pointerdown', this.outside, true);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('pointerdown', this.outside, true);
    clearTimeout(this.timer);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { request, preview } = this;
    if (!request) return nothing;
    const shell = this.parentElement!.getBoundingClientRect();
    const anchor = request.anchor.getBoundingClientRect();
    const width = Math.min(320, shell.width - 16);
    const left = Math.min(Math.max(8, anchor.left - shell.left), shell.width - width - 8);
    const above = anchor.top - shell.top > shell.height / 2;
    return html`<div
      class="popover"
      role="dialog"
      tabindex="-1"
      aria-label=${this.t('sources')}
      @pointerenter=${() => clearTimeout(this.timer)}
      @pointerleave=${this.leave}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        this.close(true);
      }}
      @focusout=${(event: FocusEvent) => {
        const to = event.relatedTarget as Node | null;
        if (to && !this.contains(to)) this.close(false);
      }}
      ${styles({
        width: `${width}px`,
        left: `${left}px`,
        top: above ? 'auto' : `${anchor.bottom - shell.top + 6}px`,
        bottom: above ? `${shell.bottom - anchor.top + 6}px` : 'auto',
      })}
    >
      ${preview
        ? html`<ck-widget .ctx=${this.ctx} .preview=${preview}></ck-widget>`
        : request.sources.map((source) => sourceView(this.ctx, source))}
    </div>`;
  }
}

define('ck-popover', PopoverPart);
