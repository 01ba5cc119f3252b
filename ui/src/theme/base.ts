/** What everything is made of: text, buttons, popups, focus, motion. */
import { css } from 'lit';

export const base = css`
  :host {
    display: block;
    position: relative;
    width: 100%;
    height: 100%;
    min-height: 240px;
    background: var(--bg);
    color: var(--fg);
    font: 400 var(--size) / 1.55 var(--font);
    container-type: inline-size;
    overflow: hidden;
    text-align: start;
    -webkit-text-size-adjust: 100%;
  }
  :host([hidden]) { display: none; }
  *, *::before, *::after { box-sizing: border-box; }
  h2, h3, p, ul, ol, figure, blockquote, fieldset { margin: 0; padding: 0; border: 0; }
  ul, ol { list-style: none; }
  button, input, textarea, select { font: inherit; color: inherit; letter-spacing: inherit; }
  button { background: none; border: 0; padding: 0; text-align: inherit; cursor: pointer; }
  button:disabled, [aria-disabled='true'] { cursor: default; opacity: 0.5; }
  a { color: inherit; }
  [hidden] { display: none !important; }
  :focus-visible { outline: 2px solid var(--accent-text); outline-offset: 2px; }
  .icon { width: 1.15em; height: 1.15em; flex: none; stroke-width: 1.8; }
  .grow { flex: 1; min-width: 0; }
  .hidden {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
  }
  .icon-button {
    display: inline-flex; align-items: center; justify-content: center; flex: none;
    width: 32px; height: 32px; border-radius: var(--r-s); color: var(--fg-2);
  }
  .icon-button:hover:not(:disabled), .icon-button[aria-expanded='true'] { background: var(--fill); color: var(--fg); }
  .icon-button[aria-pressed='true'] { color: var(--accent-text); }
  .icon-button[aria-pressed='true'] .icon { fill: color-mix(in oklab, currentColor 22%, transparent); }
  .button {
    display: inline-flex; align-items: center; justify-content: center; gap: 6px; min-height: 32px; padding: 4px 14px;
    border: 1px solid var(--line); border-radius: var(--r-c); background: var(--raised); font-weight: 500; font-size: 0.875em;
  }
  .button:hover:not(:disabled) { background: var(--soft); }
  .button.primary { background: var(--accent); border-color: transparent; color: var(--on-accent); }
  .button.primary:hover:not(:disabled) { background: color-mix(in oklab, var(--accent) 88%, var(--bg)); }
  .button.danger { background: var(--danger-solid); border-color: transparent; color: var(--on-danger); }
  .text-button {
    display: inline-flex; align-items: center; gap: 4px; min-height: 28px; padding: 2px 8px; border-radius: var(--r-s);
    font-size: 0.875em; color: var(--fg-2);
  }
  .text-button:hover:not(:disabled) { background: var(--fill); color: var(--fg); }
  .popup, .popover {
    position: absolute; z-index: 20; padding: 5px; border: 1px solid var(--line); border-radius: var(--r-m);
    background: var(--raised); box-shadow: 0 8px 28px rgb(0 0 0 / 0.16), 0 1px 3px rgb(0 0 0 / 0.1);
    animation: appear 120ms ease-out;
  }
  .popup { max-height: 320px; overflow-y: auto; min-width: 200px; max-width: min(340px, 90cqw); }
  .menu { position: relative; display: inline-flex; }
  .menu > .popup { inset-block-start: calc(100% + 4px); inset-inline-end: 0; }
  .bar .menu > .popup { inset-block: auto calc(100% + 6px); inset-inline: 0 auto; }
  .bar .grow ~ ck-menu .menu > .popup { inset-inline: auto 0; }
  .option {
    display: flex; align-items: center; gap: 10px; width: 100%; min-height: 34px; padding: 6px 10px; border-radius: var(--r-s);
    font-size: 0.9em; line-height: 1.35; cursor: pointer;
  }
  .option:hover, .option.active, .option:focus-visible { background: var(--fill); }
  .option.danger { color: var(--danger); }
  .option .icon { color: var(--fg-2); }
  .option.danger .icon { color: inherit; }
  .option[aria-disabled='true'] { opacity: 0.5; cursor: default; }
  .hint { display: block; color: var(--fg-2); font-size: 0.86em; }
  .none, .group { padding: 6px 10px; color: var(--fg-2); font-size: 0.8em; }
  .popover { padding: 8px; max-height: 60%; overflow-y: auto; }
  .popover:focus { outline: none; }
  .loading { display: flex; justify-content: center; padding: 10px; color: var(--fg-2); }
  .shimmer { animation: pulse 1.6s ease-in-out infinite; }
  .icon:has(path[d='M21 12a9 9 0 1 1-6.219-8.56']) { animation: turn 0.9s linear infinite; }
  progress { appearance: none; width: 100%; height: 3px; border: 0; border-radius: 2px; overflow: hidden; background: var(--line); }
  progress::-webkit-progress-bar { background: var(--line); }
  progress::-webkit-progress-value { background: var(--accent-text); transition: width 150ms; }
  progress::-moz-progress-bar { background: var(--accent-text); }
  @keyframes appear { from { opacity: 0; transform: translateY(4px); } }
  @keyframes pulse { 50% { opacity: 0.5; } }
  @keyframes turn { to { transform: rotate(1turn); } }
  @media (prefers-reduced-motion: reduce) {
    *, *::before, *::after { animation-duration: 1ms !important; animation-iteration-count: 1 !important; transition: none !important; scroll-behavior: auto !important; }
  }
  @media (forced-colors: active) {
    .bubble, .button, .icon-button, .send, .popup, .option.active { border: 1px solid; }
  }
`;
