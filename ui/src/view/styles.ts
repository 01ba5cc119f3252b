/** Inline styles through the style object: a `style` attribute would need `unsafe-inline` on a page with a strict CSP. */
import { noChange } from 'lit';
import { Directive, directive, PartType, type ElementPart, type PartInfo } from 'lit/directive.js';

export type Styles = Record<string, string | number | null | undefined>;

class StylesDirective extends Directive {
  private set = new Set<string>();

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('styles() stands alone in a tag');
  }

  render(_styles: Styles): unknown {
    return noChange;
  }

  override update(part: ElementPart, [styles]: [Styles]): unknown {
    const { style } = part.element as HTMLElement;
    for (const name of this.set) if (styles[name] === undefined || styles[name] === null) style.removeProperty(name);
    this.set.clear();
    for (const [name, value] of Object.entries(styles)) {
      if (value === undefined || value === null) continue;
      style.setProperty(name, String(value));
      this.set.add(name);
    }
    return noChange;
  }
}

/** `<div ${styles({ 'max-width': '3rem' })}>` */
export const styles = directive(StylesDirective);
