/** TeX to MathML, which every browser draws by itself: no fonts and no style sheet are needed. */
import katex from 'katex';

export function toMathML(tex: string, block: boolean): string {
  return katex.renderToString(tex, {
    displayMode: block,
    output: 'mathml',
    throwOnError: false,
    trust: false,
    strict: 'ignore',
    maxExpand: 200,
    maxSize: 20,
  });
}
