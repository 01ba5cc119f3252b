/** Components that show something. */
import { html, nothing } from 'lit';
import { hostOf } from '../text/images';
import { icon } from '../view/icons';
import '../view/markdown';
import { styles } from '../view/styles';
import { background, color, flag, length, radius, sizes, spacing, text, type, word } from './props';
import { labelled, type Component } from './scope';

export const Text: Component = (node, scope) => {
  const look = styles(type(node, scope.scheme, 'text'));
  const editable = node['editable'] as Record<string, unknown> | false | undefined;
  const value = text(node['value']);
  if (editable && typeof editable === 'object') {
    const name = text(editable['name']);
    return html`<textarea
      class="w-editable"
      rows="1"
      id=${`${scope.prefix}-${name}`}
      data-field=${name}
      aria-label=${labelled(scope, name) ? nothing : text(editable['placeholder']) || name}
      placeholder=${text(editable['placeholder']) || nothing}
      autocomplete=${text(editable['autoComplete']) || 'off'}
      ?required=${flag(editable['required'])}
      ?data-autofocus=${flag(editable['autoFocus'])}
      ?data-autoselect=${flag(editable['autoSelect'])}
      data-1p-ignore=${flag(editable['allowAutofillExtensions']) ? nothing : ''}
      data-pattern=${text(editable['pattern']) || nothing}
      .defaultValue=${value}
      ${look}
    ></textarea>`;
  }
  return html`<div class="w-text ${flag(node['streaming']) ? 'streaming' : ''}" dir="auto" ${look}>${value}</div>`;
};

export const Title: Component = (node, scope) =>
  html`<div class="w-title" role="heading" aria-level="3" dir="auto" ${styles(type(node, scope.scheme, 'title'))}>${text(node['value'])}</div>`;

export const Caption: Component = (node, scope) =>
  html`<div class="w-caption" dir="auto" ${styles(type(node, scope.scheme, 'caption'))}>${text(node['value'])}</div>`;

export const Markdown: Component = (node, scope) =>
  html`<ck-markdown dir="auto" .ctx=${scope.ctx} .text=${text(node['value'])} .growing=${flag(node['streaming'])}></ck-markdown>`;

export const Badge: Component = (node) => html`<span
  class="w-badge c-${word(node['color'], ['secondary', 'success', 'danger', 'warning', 'info', 'discovery'])} v-${word(node['variant'], [
    'soft', 'solid', 'outline',
  ])} s-${word(node['size'], ['sm', 'md', 'lg'])} ${flag(node['pill']) ? 'pill' : ''}"
  >${text(node['label'])}</span
>`;

const ICONS: Record<string, number> = { xs: 12, sm: 14, md: 16, lg: 20, xl: 24, '2xl': 32, '3xl': 40 };

export const Icon: Component = (node, scope) => {
  const size = `${ICONS[text(node['size'])] ?? 16}px`;
  return html`<span class="w-icon" ${styles({ width: size, height: size, color: color(node['color'], scope.scheme, 'text') })}>
    ${icon(text(node['name']), () => scope.redraw())}
  </span>`;
};

export const Image: Component = (node, scope) => {
  const src = text(node['src']);
  const alt = text(node['alt']);
  const look = styles({
    ...sizes(node),
    ...spacing('margin', node['margin']),
    ...background(node['background'], scope.scheme),
    'border-radius': radius(node['radius']),
    'object-fit': word(node['fit'], ['cover', 'contain', 'fill', 'scale-down', 'none']),
    'object-position': word(node['position'], [
      'center', 'top left', 'top', 'top right', 'left', 'right', 'bottom left', 'bottom', 'bottom right',
    ]),
  });
  const classes = `w-image ${flag(node['frame']) ? 'frame' : ''} ${flag(node['flush']) ? 'flush' : ''}`;
  if (scope.ctx.images(src) || scope.shown.has(src))
    return html`<img class=${classes} src=${src} alt=${alt} loading="lazy" referrerpolicy="no-referrer" ${look} />`;
  const t = scope.ctx.locale.t.bind(scope.ctx.locale);
  if (!/^https?:/i.test(src)) return html`<span class="w-unknown">${alt || t('image')}</span>`;
  return html`<button class="${classes} blocked-image" type="button" @click=${() => scope.showImage(src)} ${look}>
    ${[alt, t('imageBlocked', hostOf(src)), t('showImage')].filter(Boolean).join(' · ')}
  </button>`;
};

export const Label: Component = (node, scope) => html`<label
  class="w-label"
  for=${`${scope.prefix}-${text(node['fieldName'])}`}
  ${styles({ ...type(node, scope.scheme, 'text'), width: length(node['width']) })}
  >${text(node['value'])}</label
>`;
