/** What is added to the safe nodes of a text: the frame of a code block, a table that scrolls, colors and formulas. */
import type { Ctx } from '../view/part';
import { safeFragment } from './markdown';

/** Frames around code and tables. Synchronous: they are there from the first word on. */
export function blocks(box: HTMLElement, { locale }: Ctx): void {
  for (const pre of box.querySelectorAll('pre')) {
    const code = pre.querySelector('code');
    const language = /language-([\w+#.-]+)/.exec(code?.className ?? '')?.[1] ?? '';
    const frame = document.createElement('div');
    frame.className = 'code';
    const head = document.createElement('div');
    head.className = 'code-head';
    const name = document.createElement('span');
    name.textContent = language;
    const copy = document.createElement('button');
    copy.type = 'button';
    copy.className = 'text-button';
    copy.dataset['copy'] = 'code';
    copy.textContent = locale.t('copyCode');
    head.append(name, copy);
    pre.replaceWith(frame);
    pre.tabIndex = 0;
    pre.dir = 'ltr';
    frame.append(head, pre);
  }
  for (const table of box.querySelectorAll('table')) {
    const scroll = document.createElement('div');
    scroll.className = 'table-scroll';
    scroll.tabIndex = 0;
    table.replaceWith(scroll);
    scroll.append(table);
  }
}

/** Colors for code and MathML for formulas, as soon as their parts are loaded; without them the source stays. */
export function hidden(box: HTMLElement): void {
  const codes = [...box.querySelectorAll<HTMLElement>('pre code[class*="language-"]')];
  if (codes.length)
    import('../lazy/highlight').then(({ highlight }) => {
      for (const code of codes) {
        const language = /language-([\w+#.-]+)/.exec(code.className)?.[1] ?? '';
        const html = highlight(code.textContent ?? '', language.toLowerCase());
        if (html !== null) code.replaceChildren(safeFragment(html, 'code'));
      }
    }, () => {});
  const formulas = [...box.querySelectorAll<HTMLElement>('.math-inline, .math-block')];
  if (formulas.length)
    import('../lazy/math').then(({ toMathML }) => {
      for (const formula of formulas) {
        const fragment = safeFragment(toMathML(formula.textContent ?? '', formula.className === 'math-block'), 'math');
        if (fragment.firstChild) formula.replaceChildren(fragment);
      }
    }, () => {});
}
