/** The composer. */
import { css } from 'lit';

export const composer = css`
  .composer {
    position: relative; padding: calc(var(--u) * 2) calc(var(--u) * 2); border: 1px solid var(--line); border-radius: calc(var(--r-l) + 4px);
    background: var(--raised); box-shadow: 0 2px 12px rgb(0 0 0 / 0.05);
  }
  .composer:focus-within { border-color: var(--strong); }
  .composer.dropping { border-color: var(--accent-text); }
  .composer.locked { background: var(--soft); }
  .editor {
    min-height: calc(1.55em + 8px); max-height: 38vh; overflow-y: auto; padding: 4px calc(var(--u) * 2); white-space: pre-wrap; overflow-wrap: anywhere;
    outline: none; cursor: text;
  }
  .editor[data-placeholder]:not([data-placeholder='']):empty::before { content: attr(data-placeholder); color: var(--fg-3); pointer-events: none; }
  .editor .tag { user-select: all; }
  .bar { display: flex; align-items: center; gap: 4px; margin-block-start: 4px; flex-wrap: wrap; }
  .bar .icon-button, .tool-button, .bar .text-button { height: 34px; border-radius: var(--r-c); }
  .bar .icon-button { width: 34px; }
  .tool-button {
    display: inline-flex; align-items: center; gap: 6px; padding-inline: 10px; border: 1px solid var(--line); font-size: 0.875em; color: var(--fg-2); max-width: 180px;
  }
  .tool-button span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .tool-button:hover:not(:disabled) { background: var(--soft); }
  .tool-button.on { color: var(--accent-text); background: color-mix(in oklab, var(--accent-text) 10%, transparent); border-color: transparent; }
  .send {
    display: inline-flex; align-items: center; justify-content: center; width: 34px; height: 34px; border-radius: var(--r-c);
    background: var(--accent); color: var(--on-accent);
  }
  .send:disabled { background: var(--fill); color: var(--fg-3); opacity: 1; }
  .send .icon { stroke-width: 2.4; }
  .recording .icon-button { color: var(--danger); animation: pulse 1.4s infinite; }
  .quote-strip {
    display: flex; align-items: center; gap: 8px; margin-block-end: 4px; padding: 4px 6px 4px 10px; border-radius: var(--r-m); background: var(--fill); font-size: 0.875em; color: var(--fg-2);
  }
  .quote-strip .grow { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .uploads { display: flex; flex-wrap: wrap; gap: 6px; padding: 2px 4px 6px; }
  .upload {
    position: relative; display: flex; align-items: center; gap: 8px; max-width: 220px; height: 44px; padding-inline: 6px 4px; border: 1px solid var(--line);
    border-radius: var(--r-m); background: var(--bg); font-size: 0.86em; overflow: hidden;
  }
  .upload .thumb { min-width: 0; min-height: 0; width: 32px; height: 32px; border-radius: var(--r-s); }
  .upload .icon-button { width: 28px; height: 28px; }
  .upload progress { position: absolute; inset: auto 0 0; border-radius: 0; }
  .upload.failed { border-color: var(--danger); color: var(--danger); }
  .file-icon { display: inline-flex; color: var(--fg-2); }
  .problem { padding: 6px calc(var(--u) * 2) 2px; color: var(--danger); font-size: 0.86em; }
  .drop-hint {
    position: absolute; inset: 0; z-index: 3; display: flex; align-items: center; justify-content: center; gap: 8px; border-radius: inherit;
    background: color-mix(in oklab, var(--raised) 92%, transparent); color: var(--accent-text); pointer-events: none;
  }
  .suggestions { inset-inline: 8px; inset-block-end: calc(100% + 6px); max-width: none; max-height: 280px; }
  .closed { padding: 14px; border-radius: var(--r-l); background: var(--soft); color: var(--fg-2); text-align: center; }
  .disclaimer { padding-block-start: 8px; text-align: center; font-size: 0.78em; color: var(--fg-2); }
  .disclaimer .markdown > div > * { margin: 0; }
  .disclaimer a { color: inherit; }
  .disclaimer.high { color: var(--fg); }
`;
