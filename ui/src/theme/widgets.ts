/** Widgets. */
import { css, unsafeCSS } from 'lit';

const heights = { '3xs': 24, '2xs': 26, xs: 28, sm: 30, md: 34, lg: 38, xl: 42, '2xl': 46, '3xl': 50 };
const gutters = { '2xs': 4, xs: 6, sm: 8, md: 10, lg: 12, xl: 16 };
const icons = { sm: 14, md: 16, lg: 20, xl: 24, '2xl': 28 };
const tones = ['danger', 'warning', 'caution', 'success', 'info', 'discovery'];

const sized = [
  ...Object.entries(heights).map(([name, px]) => `.h-${name}{min-height:${px}px;font-size:${px < 30 ? 0.8 : px < 42 ? 0.9 : 1}em}`),
  ...Object.entries(gutters).map(([name, px]) => `.w-field.g-${name}{padding-inline:${px}px}`),
  ...Object.entries(icons).map(([name, px]) => `.i-${name} .icon{width:${px}px;height:${px}px}`),
  ...tones.map((tone) => `.c-${tone}{--c:var(--${tone}-solid);--on-c:var(--on-${tone});--c-bg:var(--${tone}-bg);--c-text:var(--${tone})}`),
].join('');

export const widgets = css`
  ${unsafeCSS(sized)}
  .c-primary { --c: var(--accent); --on-c: var(--on-accent); --c-bg: var(--fill); --c-text: var(--fg); }
  .c-secondary { --c: var(--fg-2); --on-c: var(--bg); --c-bg: var(--fill); --c-text: var(--fg); }
  ck-widget { display: block; }
  .widget { transition: opacity 150ms; color: var(--fg); max-width: 100%; }
  .widget.fading { opacity: 0.5; }
  .widget.other { background: var(--bg); border-radius: var(--r-l); }
  .w-card, .w-list, .popover .w-basic { --pad: calc(var(--u) * 4); }
  .w-card, .w-list {
    width: 100%; border: 1px solid var(--line); border-radius: var(--r-l); background: var(--raised); overflow: clip; overflow-clip-margin: 4px;
  }
  .w-sm { max-width: 360px; }
  .w-md { max-width: 440px; }
  .w-lg { max-width: 560px; }
  .w-body { display: flex; flex-direction: column; gap: calc(var(--u) * 3); padding: calc(var(--u) * 4); }
  .w-status { display: flex; align-items: center; min-height: 40px; padding-inline: var(--pad); border-block-end: 1px solid var(--fill); font-size: 0.875em; color: var(--fg-2); }
  .w-status .icon-button .icon { transition: transform 120ms; }
  .w-status [aria-expanded='false'] .icon { transform: rotate(-90deg); }
  .w-status-text { display: inline-flex; align-items: center; gap: 8px; }
  .favicon { width: 16px; height: 16px; border-radius: 3px; }
  .favicon.frame { padding: 2px; width: 20px; height: 20px; border: 1px solid var(--line); }
  .w-footer { display: flex; gap: 8px; justify-content: flex-end; padding: 0 var(--pad) var(--pad); }
  .w-footer .button { flex: 1; }
  .w-list { max-width: 560px; padding-block: 6px; }
  .w-list > .text-button { margin: 2px 12px 4px; }
  .w-list li + li { border-block-start: 1px solid var(--fill); }
  .w-item { position: relative; display: flex; align-items: center; gap: calc(var(--u) * 3); padding: calc(var(--u) * 2.5) var(--pad); }
  .w-item.click:hover { background: var(--soft); }
  .w-item-click { position: absolute; inset: 0; }
  .w-item-click:focus-visible { outline-offset: -3px; border-radius: var(--r-m); }
  .w-item > :not(.w-item-click) { position: relative; pointer-events: none; }
  .w-item :is(button, a, input, select, textarea, label, .popup):not(.w-item-click) { pointer-events: auto; }
  .w-item:not(.click) > * { pointer-events: auto !important; }
  .w-basic, .w-box { display: flex; min-width: 0; }
  .w-basic { gap: calc(var(--u) * 2); }
  .w-row { align-items: center; }
  .w-row > :is(.w-text, .w-title, .w-caption) { min-width: 0; }
  .w-text, .w-title, .w-caption { overflow-wrap: anywhere; white-space: pre-wrap; min-width: 0; }
  .w-title { line-height: 1.3; }
  .w-text.streaming:empty::after { content: '…'; color: var(--fg-3); }
  .w-spacer { flex: 1; min-height: var(--least); }
  :is(.w-row, .w-item) > .w-spacer { min-height: 0; min-width: var(--least); }
  .w-divider { width: auto; align-self: stretch; flex: none; height: var(--thick, 1px); margin: var(--apart, 0) 0; border: 0; background: var(--line); }
  .w-row > .w-divider { width: var(--thick, 1px); height: auto; margin: 0 var(--apart, 0); }
  .w-divider.flush { margin-inline: calc(var(--pad) * -1); }
  .w-icon { display: inline-flex; flex: none; }
  .w-icon .icon { width: 100%; height: 100%; }
  .w-image { display: block; max-width: 100%; }
  .w-image.frame { border: 1px solid var(--line); }
  .w-image.flush { margin-inline: calc(var(--pad) * -1); max-width: none; width: calc(100% + var(--pad) * 2); }
  .w-badge {
    display: inline-flex; align-items: center; flex: none; width: fit-content; padding: 0 7px; border: 1px solid transparent; border-radius: 6px; font-weight: 500;
    font-size: 0.78em; line-height: 1.7; white-space: nowrap;
  }
  .w-badge.s-sm { font-size: 0.7em; padding-inline: 5px; }
  .w-badge.s-lg { font-size: 0.875em; padding-inline: 9px; }
  .w-badge.pill { border-radius: 999px; }
  .v-soft:is(.w-badge, .w-button) { background: var(--c-bg); color: var(--c-text); }
  .v-solid:is(.w-badge, .w-button) { background: var(--c); color: var(--on-c); }
  .v-outline:is(.w-badge, .w-button) { border-color: color-mix(in oklab, var(--c-text) 35%, transparent); color: var(--c-text); }
  .v-ghost.w-button { color: var(--c-text); }
  .w-button {
    display: inline-flex; align-items: center; justify-content: center; gap: 6px; flex: none; width: fit-content; padding: 2px 12px; border: 1px solid transparent;
    border-radius: var(--r-s); font-weight: 500; text-align: center; line-height: 1.3;
  }
  .w-button.pill { border-radius: 999px; }
  .w-button.block { width: 100%; }
  .w-button.uniform { padding: 0; aspect-ratio: 1; }
  .w-button:hover:not(:disabled) { filter: brightness(0.96); }
  .v-ghost.w-button:hover:not(:disabled), .v-outline.w-button:hover:not(:disabled) { background: var(--c-bg); filter: none; }
  .w-field { width: 100%; padding: 0 10px; line-height: 1.3; border: 1px solid var(--line); border-radius: var(--r-s); background: var(--bg); color: var(--fg); max-width: 100%; }
  select.w-field, .w-date > .w-field { width: auto; }
  .w-field.block { width: 100%; }
  .w-field.pill { border-radius: 999px; }
  .w-field.v-soft { background: var(--fill); border-color: transparent; }
  .w-field.v-solid { background: var(--line); border-color: transparent; }
  .w-field.v-solid::placeholder { color: var(--fg-2); }
  .w-field:disabled { opacity: 0.5; cursor: default; }
  .w-field.v-ghost { background: none; border-color: transparent; }
  .w-field:focus-visible { outline-offset: 0; }
  .w-field::placeholder, .w-editable::placeholder { color: var(--fg-3); opacity: 1; }
  .w-field:user-invalid { border-color: var(--danger); }
  textarea.w-field { display: block; resize: vertical; line-height: 1.5; padding-block: 7px; }
  textarea.grows, .w-editable { field-sizing: content; }
  .w-editable { width: 100%; padding: 2px 4px; margin: -3px -5px; border: 1px solid transparent; border-radius: 4px; background: none; resize: none; }
  .w-editable:hover { border-color: var(--line); }
  .w-check { display: inline-flex; align-items: center; gap: 8px; min-height: 28px; cursor: pointer; }
  .w-check input { width: 17px; height: 17px; margin: 0; accent-color: var(--accent-text); flex: none; }
  .w-check:has(:disabled) { color: var(--fg-3); cursor: default; }
  .w-radios { display: flex; flex-wrap: wrap; gap: 4px 16px; }
  .w-radios.w-column { flex-direction: column; }
  .w-label { font-weight: 500; }
  ck-combobox { display: block; min-width: 0; }
  ck-combobox:has(> .w-combobox > .block) { width: 100%; }
  .w-combobox { position: relative; display: flex; align-items: center; width: 100%; }
  .w-combobox .icon-button { position: absolute; inset-inline-end: 2px; width: 28px; height: 28px; }
  .w-chevron { position: absolute; inset-inline-end: 8px; display: flex; color: var(--fg-2); pointer-events: none; }
  .w-combobox > .popup { inset-block-start: calc(100% + 4px); inset-inline: 0; max-width: none; max-height: 240px; }
  ck-datepicker { display: block; width: fit-content; max-width: 100%; }
  ck-datepicker:has(> .w-date > .block) { width: 100%; }
  .w-date { position: relative; display: flex; align-items: center; }
  .w-date > .w-field { display: inline-flex; align-items: center; gap: 10px; text-align: start; }
  .w-date > .w-field.block { width: 100%; }
  .w-date > .w-field .icon { color: var(--fg-2); }
  .w-date > .w-field .grow { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .w-date .unset { color: var(--fg-2); }
  .w-date.clears > .w-field { padding-inline-end: 34px; }
  .w-date > .icon-button { position: absolute; inset-inline-end: 2px; width: 28px; height: 28px; }
  .w-date > .icon-button .icon { width: 16px; height: 16px; }
  .w-calendar {
    position: fixed; inset: auto; width: min(308px, 100vw - 16px); max-height: calc(100dvh - 16px); margin: 0; padding: 8px; overflow-y: auto; border: 1px solid var(--line);
    border-radius: var(--r-m); background: var(--raised); color: var(--fg); box-shadow: 0 8px 28px rgb(0 0 0 / 0.16), 0 1px 3px rgb(0 0 0 / 0.1); font-size: var(--size);
    animation: appear 120ms ease-out; pointer-events: auto;
  }
  ck-calendar { display: block; }
  .w-month { display: flex; align-items: center; padding-block-end: 4px; }
  .w-month .grow { font-size: 0.9em; font-weight: 600; line-height: 1.25; text-align: center; }
  .w-days { width: 100%; border-spacing: 0 2px; table-layout: fixed; font-size: 0.86em; text-align: center; font-variant-numeric: tabular-nums; }
  .w-days th { height: 28px; padding: 0; color: var(--fg-2); font-size: 0.9em; font-weight: 500; }
  .w-days td { height: 36px; padding: 0; border-radius: var(--r-s); cursor: pointer; }
  .w-days td:hover { background: var(--fill); }
  .w-days td:focus-visible { outline-offset: -2px; }
  .w-days .outside { color: var(--fg-3); }
  .w-days [aria-current] { box-shadow: inset 0 0 0 1px var(--strong); font-weight: 600; }
  .w-days [aria-selected='true'] { background: var(--accent); color: var(--on-accent); font-weight: 600; }
  .w-days [aria-selected='true']:focus-visible { outline-offset: 1px; }
  .w-days [aria-disabled='true'] { opacity: 0.4; cursor: default; }
  .w-days [aria-disabled='true']:not([aria-selected='true']) { background: none; }
  .w-time { display: flex; gap: 8px; padding-block-start: 8px; }
  .w-time > .w-field { flex: 1; width: auto; font-size: 0.9em; }
  @media (forced-colors: active) {
    .w-days [aria-selected='true'] { outline: 2px solid; outline-offset: -2px; }
  }
  .w-card:has(.popup), .w-list:has(.popup) { overflow: visible; }
  .w-table { width: 100%; border-collapse: collapse; font-size: 0.94em; }
  .w-table :is(th, td) { padding: 8px 12px 8px 0; border-block-end: 1px solid var(--line); text-align: start; font-weight: inherit; }
  .w-table th { color: var(--fg-2); font-weight: 500; }
  .w-table tr:last-child td { border: 0; }
  .w-unknown { padding: 6px 10px; border: 1px dashed var(--strong); border-radius: var(--r-s); color: var(--fg-2); font-size: 0.86em; width: fit-content; }
  .w-transition > * { animation: appear 180ms ease-out; }
  ck-chart { display: block; width: 100%; min-width: 0; }
  .w-chart { display: flex; flex-direction: column; width: 100%; height: 100%; }
  .plot { position: relative; flex: 1; min-height: 60px; border-radius: var(--r-s); }
  .plot svg { position: absolute; inset: 0; width: 100%; height: 100%; direction: ltr; }
  .plot .grid { stroke: var(--fill); }
  .plot .tick { fill: var(--fg-2); font-size: 11px; }
  .plot .cursor { fill: var(--soft); }
  .plot .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  .plot .area { opacity: 0.22; }
  .legend { display: flex; flex-wrap: wrap; gap: 4px 14px; padding-block-start: 6px; font-size: 0.8em; color: var(--fg-2); }
  .legend span, .tooltip span { display: inline-flex; align-items: center; gap: 6px; }
  .legend i, .tooltip i { width: 9px; height: 9px; border-radius: 3px; }
  .tooltip {
    position: absolute; inset-block-start: 4px; display: flex; flex-direction: column; gap: 2px; min-width: 110px; padding: 6px 10px; transform: translateX(-50%);
    border: 1px solid var(--line); border-radius: var(--r-s); background: var(--raised); box-shadow: 0 4px 14px rgb(0 0 0 / 0.14); font-size: 0.8em; pointer-events: none;
  }
  .tooltip b { margin-inline-start: auto; padding-inline-start: 10px; font-weight: 600; }
`;
