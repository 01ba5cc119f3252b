/** The messages of a conversation: what was said by either side. */
import { html, nothing, type TemplateResult } from 'lit';
import { isPicture } from '../text/images';
import type { AssistantMessage, Attachment, Source, UserMessage, UserTag } from '../wire/types';
import { sourceView, type PopoverRequest } from './citations';
import { icon } from './icons';
import './markdown';
import type { Ctx } from './part';

export function userMessage(ctx: Ctx, item: UserMessage, sending: boolean): TemplateResult {
  const { content, attachments = [], quoted_text: quote } = item;
  return html`<article class="user ${sending ? 'sending' : ''}" aria-label=${ctx.locale.t('youSaid')}>
    ${attachments.length ? html`<div class="attachments">${attachments.map((each) => attachment(each))}</div>` : nothing}
    <div class="bubble" dir="auto">
      ${quote ? html`<blockquote class="quoted"><span class="hidden">${ctx.locale.t('quoted')}</span>${quote}</blockquote>` : nothing}
      <div class="user-text">${content.map((part) => (part.type === 'input_tag' ? tag(ctx, part) : part.text))}</div>
    </div>
  </article>`;
}

export function attachment({ name, mime_type, type, preview_url }: Attachment): TemplateResult {
  if (type === 'image' && isPicture(preview_url))
    return html`<img class="thumb" src=${preview_url} alt=${name} title=${name} referrerpolicy="no-referrer" />`;
  return html`<span class="file" title=${name}>
    ${icon(mime_type?.startsWith('image/') ? 'square-image' : 'document')}
    <span class="file-name"><bdi>${name}</bdi></span>
  </span>`;
}

function tag(ctx: Ctx, { id, text, data, group, interactive }: UserTag): TemplateResult {
  const { onClick, onRequestPreview } = ctx.options.entities ?? {};
  if (!interactive || !(onClick || onRequestPreview)) return html`<span class="tag">${text}</span>`;
  const source: Source = { type: 'entity', id, title: text, group: group ?? null, data: data ?? {}, interactive: true };
  const ask = (sticky: boolean) => (event: Event) =>
    (event.currentTarget as HTMLElement).dispatchEvent(
      new CustomEvent<PopoverRequest>('ck-sources', {
        bubbles: true,
        detail: { anchor: event.currentTarget as HTMLElement, sources: [source], sticky },
      }),
    );
  const click = onClick
    ? () => ctx.clickEntity({ id, title: text, interactive, ...(group ? { group } : {}), data: (data ?? {}) as Record<string, string> })
    : ask(true);
  return html`<button class="tag" type="button" @click=${click} @pointerenter=${ask(false)}>${text}</button>`;
}

export function assistantMessage(ctx: Ctx, item: AssistantMessage, open: boolean): TemplateResult {
  const sources = unique(item.content.flatMap((part) => (part.annotations ?? []).map((each) => each.source)));
  return html`<article class="assistant" aria-label=${ctx.locale.t('assistantSaid')} data-answer=${item.id}>
    ${item.content.map(
      (part) => html`<ck-markdown
        dir="auto"
        .ctx=${ctx}
        .text=${part.text}
        .annotations=${part.annotations ?? NONE}
        .growing=${open}
      ></ck-markdown>`,
    )}
    ${sources.length && !open
      ? html`<details class="sources">
          <summary>${icon('-chevron')}${ctx.locale.t('sources')} · ${sources.length}</summary>
          <div class="source-list">${sources.map((source) => sourceView(ctx, source))}</div>
        </details>`
      : nothing}
  </article>`;
}

const NONE: never[] = [];

function unique(sources: Source[]): Source[] {
  const seen = new Map(sources.filter(Boolean).map((source) => [source.url ?? source.filename ?? source.id ?? source.title, source]));
  return [...seen.values()];
}
