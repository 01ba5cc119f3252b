/** Citations in a text: a small mark each, that shows its sources on hover, focus or click. */
import type { Entity } from '@openai/chatkit';
import { html, nothing, type TemplateResult } from 'lit';
import { hostOf } from '../text/images';
import { safeLink } from '../text/links';
import type { Annotation, Source } from '../wire/types';
import { icon } from './icons';
import type { Ctx } from './part';

/** The event that asks the element to show a popover beside `anchor`. */
export interface PopoverRequest {
  anchor: HTMLElement;
  sources: Source[];
  /** A click keeps it open and moves the focus into it. */
  sticky: boolean;
}

export function citation(ctx: Ctx, annotations: readonly Annotation[], numbers: number[]): Node {
  const sources = numbers.map((number) => annotations[number]?.source).filter((each): each is Source => !!each);
  const first = sources[0];
  if (!first) return document.createTextNode('');
  const mark = document.createElement('button');
  mark.type = 'button';
  mark.className = 'cite';
  mark.textContent = labelOf(first) + (sources.length > 1 ? ` +${sources.length - 1}` : '');
  mark.setAttribute('aria-label', `${ctx.locale.t('source', numbers.map((each) => each + 1).join(', '))}: ${mark.textContent}, ${first.title}`);
  const ask = (sticky: boolean) => () =>
    mark.dispatchEvent(
      new CustomEvent<PopoverRequest>('ck-sources', { bubbles: true, detail: { anchor: mark, sources, sticky } }),
    );
  mark.addEventListener('pointerenter', ask(false));
  mark.addEventListener('click', () => {
    const only = sources.length === 1 && first.type === 'entity' && first.interactive;
    if (only && ctx.options.entities?.onClick) ctx.clickEntity(entityOf(first));
    else ask(true)();
  });
  return mark;
}

function labelOf(source: Source): string {
  const name =
    source.type === 'entity' ? (source.inline_label ?? source.title)
    : source.type === 'file' ? (source.filename ?? source.title)
    : (source.attribution ?? (source.url ? hostOf(source.url).replace(/^www\./, '') : source.title));
  return name.length > 28 ? `${name.slice(0, 27)}…` : name;
}

export function entityOf(source: Source): Entity {
  const data = Object.entries(source.data ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    id: source.id ?? '',
    title: source.title,
    ...(source.icon ? { icon: source.icon } : {}),
    ...(source.group ? { group: source.group } : {}),
    interactive: source.interactive ?? false,
    data: Object.fromEntries(data) as Record<string, string>,
  };
}

/** One source in a list or a popover. */
export function sourceView(ctx: Ctx, source: Source): TemplateResult {
  const link = source.type === 'url' || source.url ? safeLink(source.url) : null;
  const glyph = source.type === 'file' ? 'document' : source.type === 'entity' ? (source.icon ?? 'cube') : 'globe';
  const more = [source.attribution ?? (link ? hostOf(link) : (source.label ?? source.filename)), source.timestamp, source.group];
  const inner = html`${icon(glyph)}
    <span class="grow">
      <span class="source-title">${source.title}</span>
      ${source.description ? html`<span class="source-text">${source.description}</span>` : nothing}
      <span class="source-more">${more.filter(Boolean).join(' · ')}</span>
    </span>`;
  if (link) return html`<a class="source" href=${link} target="_blank" rel="noopener noreferrer nofollow">${inner}</a>`;
  if (source.type === 'entity' && source.interactive && ctx.options.entities?.onClick)
    return html`<button class="source" type="button" @click=${() => ctx.clickEntity(entityOf(source))}>${inner}</button>`;
  return html`<div class="source">${inner}</div>`;
}
