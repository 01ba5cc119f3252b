/** TeX to MathML, which every browser draws by itself: no fonts and no style sheet are needed. */
import katex from 'katex';

export function toMathML(tex: string, block: boolean): string {
  const html = katex.renderToString(tex, {
    displayMode: block,
    output: 'mathml',
    throwOnError: false,
    trust: false,
    strict: 'ignore',
    maxExpand: 200,
    maxSize: 20,
  });
  // The source stands beside the formula as an annotation, which the sanitiser would turn into text.
  return html.replace(/<annotation[^>]*>[^]*?<\/annotation>/g, '');
}
