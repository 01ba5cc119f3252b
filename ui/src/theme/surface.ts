/** The frame of the chat: header, history, start screen. */
import { css } from 'lit';

export const surface = css`
  .shell { position: absolute; inset: 0; display: flex; flex-direction: column; }
  .header {
    display: flex; align-items: center; gap: 4px; flex: none; min-height: 52px; padding: 8px calc(var(--u) * 3);
    border-block-end: 1px solid transparent;
  }
  .title { font-size: 1em; font-weight: 600; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; padding-inline: 6px; }
  .main { position: relative; display: flex; flex-direction: column; flex: 1; min-height: 0; }
  .foot { flex: none; padding: 0 calc(var(--u) * 4) calc(var(--u) * 3); }
  .foot > ck-composer { display: block; max-width: 760px; margin-inline: auto; }

  .history {
    position: absolute; inset: 52px 0 0; z-index: 10; display: flex; flex-direction: column; background: var(--bg);
    animation: appear 140ms ease-out;
  }
  .history-head, .history-list { width: 100%; max-width: 760px; margin-inline: auto; padding-inline: calc(var(--u) * 4); }
  .history-head { display: flex; align-items: center; gap: 8px; padding-block: 8px; }
  .search {
    display: flex; align-items: center; gap: 8px; flex: 1; height: 38px; padding-inline: 12px; border: 1px solid var(--line);
    border-radius: var(--r-c); background: var(--raised); color: var(--fg-2);
  }
  .search:focus-within { border-color: var(--accent-text); }
  .search input { flex: 1; min-width: 0; border: 0; background: none; outline: none; color: var(--fg); font-size: 0.94em; }
  .search input::placeholder { color: var(--fg-3); opacity: 1; }
  .history-list { flex: 1; overflow-y: auto; padding-block-end: 24px; }
  .history-list h3 { padding: 14px 8px 4px; font-size: 0.8em; font-weight: 500; color: var(--fg-2); }
  .thread-row { display: flex; align-items: center; border-radius: var(--r-m); }
  .thread-row:hover, .thread-row.current { background: var(--soft); }
  .thread-row.current { font-weight: 500; }
  .thread-open { flex: 1; min-width: 0; padding: calc(var(--u) * 2) 10px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .thread-row ck-menu { margin-inline-end: 4px; }
  .rename, .delete { display: flex; align-items: center; gap: 6px; padding: 4px 6px; border-radius: var(--r-m); background: var(--soft); flex-wrap: wrap; }
  .rename input {
    flex: 1; min-width: 120px; height: 34px; padding-inline: 10px; border: 1px solid var(--strong); border-radius: var(--r-s); background: var(--bg);
  }
  .delete .grow { padding-inline: 6px; overflow-wrap: anywhere; }
  .empty { padding: 32px 8px; text-align: center; color: var(--fg-2); }

  .start {
    flex: 1; min-height: 0; overflow-y: auto; display: flex; flex-direction: column; justify-content: center; gap: calc(var(--u) * 6);
    width: 100%; max-width: 760px; margin-inline: auto; padding: calc(var(--u) * 6);
  }
  .greeting { font-size: 1.7em; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; text-wrap: balance; }
  .prompts { display: flex; flex-direction: column; }
  .prompts button {
    display: flex; align-items: center; gap: 12px; width: 100%; padding: calc(var(--u) * 2.5) 10px; border-radius: var(--r-m); color: var(--fg);
  }
  .prompts button:hover { background: var(--soft); }
  .prompts .icon { color: var(--fg-2); }
  .prompts li + li { border-block-start: 1px solid var(--fill); }

  .notices { flex: none; width: 100%; max-width: 760px; margin-inline: auto; padding: 0 calc(var(--u) * 4); max-height: 40%; overflow-y: auto; }
  .notice {
    display: flex; align-items: flex-start; gap: 10px; margin-block-end: 8px; padding: 8px 10px; border-radius: var(--r-m);
    font-size: 0.9em; animation: appear 160ms ease-out;
  }
  .notice > .icon { margin-block-start: 0.2em; }
  .notice.info { background: var(--info-bg); }
  .notice.info > .icon { color: var(--info); }
  .notice.warning { background: var(--warning-bg); }
  .notice.warning > .icon { color: var(--warning); }
  .notice.danger { background: var(--danger-bg); }
  .notice.danger > .icon { color: var(--danger); }
  .notice .icon-button { margin: -4px; color: var(--fg); }

  @container (max-width: 480px) {
    .greeting { font-size: 1.4em; }
    .start { padding: calc(var(--u) * 4); }
    .foot { padding-inline: calc(var(--u) * 2.5); }
    .popup { max-width: calc(100cqw - 24px); }
  }
`;
