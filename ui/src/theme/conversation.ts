/** Messages, and what happens between them. */
import { css } from 'lit';

export const conversation = css`
  ck-thread { display: contents; }
  .thread { position: relative; flex: 1; min-height: 0; display: flex; flex-direction: column; }
  .thread > .loading { position: absolute; inset-block-start: 0; inset-inline: 0; z-index: 2; pointer-events: none; }
  ck-scroller { flex: 1; min-height: 0; display: flex; }
  .scroll { flex: 1; min-width: 0; overflow: hidden auto; overflow-anchor: none; overscroll-behavior: contain; }
  .scroll:focus-visible { outline-offset: -2px; }
  .rows { max-width: 760px; margin-inline: auto; padding-inline: calc(var(--u) * 4); }
  .row { padding-block-end: calc(var(--u) * 4); overflow-wrap: anywhere; }
  .row:empty { padding: 0; }
  .to-end {
    position: absolute; inset-block-end: 8px; inset-inline: 0; margin-inline: auto; display: flex; align-items: center; justify-content: center;
    width: 36px; height: 36px; border: 1px solid var(--line); border-radius: 50%; background: var(--raised); box-shadow: 0 2px 8px rgb(0 0 0 / 0.14);
  }
  .reply-button {
    position: absolute; z-index: 5; display: inline-flex; align-items: center; gap: 6px; height: 34px; padding-inline: 12px; transform: translateX(-50%);
    border: 1px solid var(--line); border-radius: var(--r-c); background: var(--raised); box-shadow: 0 4px 14px rgb(0 0 0 / 0.16); font-size: 0.875em;
  }

  .user { display: flex; flex-direction: column; align-items: flex-end; gap: 6px; padding-block-start: calc(var(--u) * 2); }
  .bubble {
    max-width: 85%; padding: calc(var(--u) * 2) calc(var(--u) * 4); border-radius: var(--r-l); background: var(--fill);
  }
  .user-text { white-space: pre-wrap; }
  .bubble .user-text:empty { display: none; }
  .sending .bubble { opacity: 0.85; }
  .quoted {
    padding-inline-start: 10px; margin-block-end: 6px; border-inline-start: 3px solid var(--strong); color: var(--fg-2); font-size: 0.9em;
    max-height: 6em; overflow: hidden;
  }
  .tag {
    display: inline-block; padding: 0 6px; border-radius: var(--r-s); background: color-mix(in oklab, var(--accent-text) 14%, transparent);
    color: var(--accent-text); font-weight: 500; line-height: 1.45; white-space: normal;
  }
  button.tag:hover { text-decoration: underline; }
  .attachments { display: flex; flex-wrap: wrap; justify-content: flex-end; gap: 6px; max-width: 100%; }
  .thumb { display: block; min-width: 56px; min-height: 56px; max-width: 220px; max-height: 180px; border-radius: var(--r-m); object-fit: cover; background: var(--soft); }
  .file {
    display: inline-flex; align-items: center; gap: 8px; max-width: 260px; padding: 8px 12px; border: 1px solid var(--line); border-radius: var(--r-m);
    background: var(--raised); font-size: 0.875em;
  }
  .file-name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }

  .cite {
    display: inline-block; margin-inline: 3px 1px; padding: 0 7px; border-radius: 999px; background: var(--fill); color: var(--fg-2);
    font-size: 0.72em; font-weight: 500; line-height: 1.7; min-height: 24px; vertical-align: baseline; white-space: nowrap;
    max-width: 220px; overflow: hidden; text-overflow: ellipsis;
  }
  .cite { min-height: 0; }
  .cite:hover { background: var(--line); color: var(--fg); }
  .sources { margin-block-start: 8px; font-size: 0.875em; }
  .sources summary { display: inline-flex; align-items: center; gap: 4px; min-height: 28px; padding-inline: 4px 8px; border-radius: var(--r-s); color: var(--fg-2); cursor: pointer; list-style: none; }
  .sources summary::-webkit-details-marker { display: none; }
  .sources summary .icon { transform: rotate(-90deg); transition: transform 120ms; }
  :host([dir='rtl']) .sources summary .icon { transform: rotate(90deg); }
  .sources[open] summary .icon { transform: none !important; }
  .source-list { display: flex; flex-direction: column; gap: 2px; }
  .source { display: flex; align-items: flex-start; gap: 10px; width: 100%; padding: 6px 8px; border-radius: var(--r-s); font-size: 0.92em; line-height: 1.4; text-decoration: none; overflow-wrap: anywhere; }
  a.source:hover, button.source:hover { background: var(--fill); }
  .source > .icon { margin-block-start: 0.15em; color: var(--fg-2); }
  .source-title { display: block; font-weight: 500; }
  .source-text { display: block; color: var(--fg-2); }
  .source-more { display: block; color: var(--fg-2); font-size: 0.86em; }

  .workflow-head { display: inline-flex; align-items: center; gap: 8px; min-height: 28px; color: var(--fg-2); border-radius: var(--r-s); }
  .workflow-head:disabled { opacity: 1; }
  .workflow-head:hover:not(:disabled) { color: var(--fg); }
  .workflow-head .icon:last-child:not(:first-child) { transform: rotate(-90deg); transition: transform 120ms; }
  .workflow-head[aria-expanded='true'] .icon:last-child { transform: none !important; }
  :host([dir='rtl']) .workflow-head .icon:last-child { transform: rotate(90deg); }
  .tasks { margin-block-start: 6px; }
  .task { display: flex; gap: 10px; font-size: 0.92em; color: var(--fg-2); }
  .tasks .task { padding-block-end: 10px; position: relative; }
  .tasks li:not(:last-child) .task::before {
    content: ''; position: absolute; inset-block: 1.7em 0; inset-inline-start: calc(0.575em - 0.5px); width: 1px; background: var(--line);
  }
  .task-icon { display: flex; align-items: center; height: 1.55em; }
  .task-title { color: var(--fg); }
  .task-text { font-size: 0.96em; }
  .queries { display: flex; flex-wrap: wrap; gap: 6px; margin-block: 4px; }
  .query { display: inline-flex; align-items: center; gap: 5px; padding: 1px 9px; border-radius: 999px; background: var(--fill); font-size: 0.9em; }
  .lone-task { color: var(--fg-2); }

  .progress { display: flex; align-items: center; gap: 8px; min-height: 1.55em; color: var(--fg-2); }
  .dots { display: inline-flex; gap: 4px; }
  .dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--fg-3); animation: pulse 1.2s infinite; }
  .dots i:nth-child(2) { animation-delay: 0.15s; }
  .dots i:nth-child(3) { animation-delay: 0.3s; }
  .error {
    display: flex; align-items: center; flex-wrap: wrap; gap: 10px; padding: 8px 12px; border-radius: var(--r-m); background: var(--danger-bg); font-size: 0.92em;
  }
  .error > .icon { color: var(--danger); }
  .actions { display: flex; gap: 2px; margin: -8px -6px 0; opacity: 0; transition: opacity 120ms; }
  .row:hover .actions, .actions:focus-within, .actions.last { opacity: 1; }
  @media (hover: none) { .actions { opacity: 1; } }
  .actions .icon { width: 16px; height: 16px; }
  .generated { max-width: 420px; }
  .generated img { display: block; width: 100%; border-radius: var(--r-m); background: var(--soft); transition: filter 300ms; }
  .generated .partial { filter: blur(3px); }
  .generated progress { margin-block-start: 6px; }
  .image-wait { display: grid; place-items: center; aspect-ratio: 1; border-radius: var(--r-m); background: var(--soft); color: var(--fg-3); font-size: 2em; }

  .questions {
    display: flex; flex-direction: column; gap: calc(var(--u) * 4); max-width: 520px; padding: calc(var(--u) * 4); border: 1px solid var(--line);
    border-radius: var(--r-l); background: var(--raised);
  }
  .question { display: flex; flex-direction: column; gap: 6px; min-width: 0; }
  .question-text { font-weight: 500; padding: 0; margin-block-end: 4px; }
  .questions textarea, .choice .other {
    width: 100%; padding: 7px 10px; border: 1px solid var(--line); border-radius: var(--r-s); background: var(--bg); resize: vertical;
  }
  .questions textarea:focus-visible, .choice .other:focus-visible { outline-offset: 0; }
  .choice { display: flex; align-items: center; gap: 9px; min-height: 32px; cursor: pointer; }
  .choice input:not(.other) { margin: 0 2px; width: 17px; height: 17px; accent-color: var(--accent-text); flex: none; }
  .choice .other::placeholder { color: var(--fg-3); opacity: 1; }
  .buttons { display: flex; gap: 8px; }
  .answer { display: flex; flex-direction: column; color: var(--fg-2); }
  .answer span { display: flex; align-items: center; gap: 6px; }
`;
