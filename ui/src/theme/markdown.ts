/** Text of the assistant. */
import { css } from 'lit';

export const markdown = css`
  .markdown { display: block; min-width: 0; overflow-wrap: anywhere; }
  .markdown > div > * { margin-block: 0 0.75em; }
  .markdown > div:last-child > :last-child { margin-block-end: 0; }
  .markdown + .markdown { margin-block-start: 0.75em; }
  .markdown :is(h1, h2, h3, h4, h5, h6) { line-height: 1.3; font-weight: 600; margin-block: 0.9em 0.45em; }
  .markdown > div:first-child > :is(h1, h2, h3, h4, h5, h6) { margin-block-start: 0; }
  .markdown h1 { font-size: 1.4em; }
  .markdown h2 { font-size: 1.22em; }
  .markdown h3 { font-size: 1.08em; }
  .markdown :is(h4, h5, h6) { font-size: 1em; }
  .markdown :is(ul, ol) { padding-inline-start: 1.5em; }
  .markdown ul { list-style: disc; }
  .markdown ol { list-style: decimal; }
  .markdown li { margin-block: 0.25em; }
  .markdown li > :is(ul, ol) { margin-block: 0.25em; }
  .markdown li:has(> input) { list-style: none; margin-inline-start: -1.4em; }
  .markdown li > input { margin-inline-end: 0.5em; }
  .markdown li > p { margin-block-end: 0.5em; }
  .markdown a { color: var(--accent-text); text-decoration: underline; text-underline-offset: 2px; text-decoration-thickness: 1px; }
  .markdown a:hover { text-decoration-thickness: 2px; }
  .markdown blockquote { padding-inline-start: 14px; border-inline-start: 3px solid var(--line); color: var(--fg-2); }
  .markdown blockquote > :last-child { margin-block-end: 0; }
  .markdown hr { height: 1px; border: 0; background: var(--line); margin-block: 1.2em; }
  .markdown img { max-width: 100%; border-radius: var(--r-m); }
  .markdown :not(pre) > code {
    padding: 0.12em 0.36em; border-radius: 5px; background: var(--fill); font: 0.88em var(--mono);
  }
  .code { border: 1px solid var(--line); border-radius: var(--r-m); overflow: hidden; background: var(--soft); }
  .code-head { display: flex; align-items: center; justify-content: space-between; min-height: 34px; padding-inline: 14px 6px; font-size: 0.78em; color: var(--fg-2); }
  .code pre { margin: 0; padding: 2px 14px 14px; overflow-x: auto; font: 0.86em / 1.55 var(--mono); tab-size: 4; text-align: left; }
  .code pre:focus-visible { outline-offset: -2px; }
  .code code { font: inherit; }
  .table-scroll { overflow-x: auto; }
  .markdown table { border-collapse: collapse; font-size: 0.94em; min-width: 50%; }
  .markdown :is(th, td) { padding: 7px 14px 7px 0; border-block-end: 1px solid var(--line); text-align: start; vertical-align: top; }
  .markdown th { font-weight: 600; }
  .markdown [align='right'] { text-align: end; }
  .markdown [align='center'] { text-align: center; }
  .math-block { overflow-x: auto; padding-block: 4px; text-align: center; }
  .math-inline math { font-size: 1.06em; }
  .blocked-image {
    display: inline-flex; align-items: center; padding: 8px 12px; border: 1px dashed var(--strong); border-radius: var(--r-m); color: var(--fg-2);
    font-size: 0.86em; overflow-wrap: anywhere;
  }
  .blocked-image:hover { background: var(--soft); color: var(--fg); }
  .hljs-comment, .hljs-quote { color: var(--fg-2); font-style: italic; }
  .hljs-keyword, .hljs-selector-tag, .hljs-literal, .hljs-section, .hljs-doctag { color: var(--discovery); }
  .hljs-string, .hljs-regexp, .hljs-addition, .hljs-attribute { color: var(--success); }
  .hljs-number, .hljs-symbol, .hljs-bullet, .hljs-meta { color: var(--warning); }
  .hljs-title, .hljs-name, .hljs-selector-id, .hljs-selector-class { color: var(--info); }
  .hljs-built_in, .hljs-type, .hljs-attr, .hljs-variable { color: var(--danger); }
  .hljs-deletion { color: var(--danger); }
  .hljs-emphasis { font-style: italic; }
  .hljs-strong { font-weight: 700; }
`;
