/** A Markdown text that may still grow: blocks that did not change keep their nodes. */
import type { Token } from 'marked';
import { blocks, hidden } from '../text/enhance';
import { Blocks, nodesOf, withCitations, type Look } from '../text/markdown';
import type { Annotation } from '../wire/types';
import { citation } from './citations';
import { define, Part } from './part';

interface Drawn {
  raw: string;
  box: HTMLElement;
}

export class MarkdownPart extends Part {
  static override properties = {
    ...Part.properties,
    text: { attribute: false },
    annotations: { attribute: false },
    growing: { attribute: false },
  };
  declare text: string;
  declare annotations: readonly Annotation[];
  declare growing: boolean;
  private parsed = new Blocks();
  private drawn: Drawn[] = [];
  private policy: unknown;

  constructor() {
    super();
    this.text = '';
    this.annotations = [];
    this.growing = false;
  }

  protected override render(): unknown {
    return undefined; // update() draws
  }

  protected override createRenderRoot(): HTMLElement {
    this.classList.add('markdown');
    return this;
  }

  protected override update(changed: Map<string, unknown>): void {
    super.update(changed);
    if (this.policy !== this.ctx.images || changed.has('annotations')) this.clear();
    this.policy = this.ctx.images;
    const tokens = this.parsed.read(withCitations(this.text, this.annotations), this.growing);
    const look: Look = {
      images: this.ctx.images,
      blocked: (host, alt) => [alt, this.t('imageBlocked', host), this.t('showImage')].filter(Boolean).join(' · '),
      cite: (numbers) => citation(this.ctx, this.annotations, numbers),
    };
    tokens.forEach((token, index) => this.place(token, index, look));
    for (const { box } of this.drawn.splice(tokens.length)) box.remove();
    if (!this.growing) this.enhance();
  }

  private clear(): void {
    for (const { box } of this.drawn.splice(0)) box.remove();
  }

  private place(token: Token, index: number, look: Look): void {
    const old = this.drawn[index];
    if (old?.raw === token.raw) return;
    const box = old?.box ?? document.createElement('div');
    box.classList.remove('enhanced');
    box.replaceChildren(nodesOf(token, look));
    blocks(box, this.ctx);
    if (!old) this.append(box);
    this.drawn[index] = { raw: token.raw, box };
  }

  /** Highlighting and math, loaded when a text has them. */
  private enhance(): void {
    for (const { box } of this.drawn) {
      if (box.classList.contains('enhanced')) continue;
      box.classList.add('enhanced');
      hidden(box);
    }
  }
}

define('ck-markdown', MarkdownPart);
