/** The composer: text with tags, files, tools, models, dictation, and the button that sends or stops. */
import { html, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Dictation } from '../state/dictation';
import type { Refusal, Upload } from '../state/uploads';
import { chip, contentOf, fill, insert, tagOf, toEnd, triggerAt, type Trigger } from '../text/editor';
import type { UserContent } from '../wire/types';
import { icon } from './icons';
import './menu';
import { define, Part } from './part';
import { button } from './rows';
import { ofCommands, signs, suggest, type Suggestion } from './suggestions';

export class ComposerPart extends Part {
  static override properties = {
    ...Part.properties,
    state: { attribute: false },
    found: { state: true },
    active: { state: true },
    empty: { state: true },
    problem: { state: true },
    dropping: { state: true },
  };
  declare state: Part['ctx']['chat']['state'];
  declare found: Suggestion[] | null;
  declare active: number;
  declare empty: boolean;
  /** Why a file was not taken. */
  declare problem: string;
  declare dropping: boolean;
  private trigger: Trigger | null = null;
  private searched = 0;
  private dictation: Dictation | null = null;
  private unsubscribe: (() => void) | null = null;
  private subscribed: unknown;

  constructor() {
    super();
    this.found = null;
    this.active = 0;
    this.empty = true;
    this.problem = '';
    this.dropping = false;
  }

  private get editor(): HTMLElement {
    return this.querySelector('.editor') as HTMLElement;
  }

  // -- what the element's methods do ------------------------------------------------------------

  focusEditor(): void {
    this.editor?.focus();
  }

  setContent(content: readonly UserContent[]): void {
    fill(this.editor, content);
    this.changed();
    toEnd(this.editor);
  }

  // -- drawing ----------------------------------------------------------------------------------

  protected override willUpdate(): void {
    if (this.subscribed === this.ctx.composer) return;
    this.unsubscribe?.();
    this.subscribed = this.ctx.composer;
    this.unsubscribe = this.ctx.composer.subscribe(() => this.requestUpdate());
    this.dictation = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unsubscribe?.();
    this.subscribed = null;
    this.dictation?.stop();
  }

  protected override render(): TemplateResult {
    const { status } = this.state.thread ?? {};
    if (status?.type === 'closed') return html`<div class="closed" role="note">${status.reason || this.t('closed')}</div>`;
    const { composer = {}, disclaimer } = this.ctx.options;
    const { quote, toolId } = this.ctx.composer.state;
    const tool = composer.tools?.find(({ id }) => id === toolId);
    const locked = status?.type === 'locked';
    const problem = [this.problem, ...this.ctx.composer.uploads.list.flatMap((each) => this.whyFailed(each))].filter(Boolean).join(' ');
    const placeholder = locked
      ? status.reason || this.t('locked')
      : (tool?.placeholderOverride ?? composer.placeholder ?? this.t('placeholder'));
    return html`<form
        class="composer ${this.dropping ? 'dropping' : ''} ${locked ? 'locked' : ''}"
        @submit=${(event: Event) => {
          event.preventDefault();
          void this.send();
        }}
      >
        ${this.suggestions()}
        ${quote
          ? html`<div class="quote-strip">
              ${icon('-quote')}<span class="grow" dir="auto">${quote}</span>
              ${button('close', this.t('removeQuote'), () => this.ctx.composer.choose({ quote: null }))}
            </div>`
          : nothing}
        ${this.files()}
        <div
          class="editor"
          role="textbox"
          aria-multiline="true"
          aria-label=${this.t('composer')}
          aria-placeholder=${placeholder}
          aria-disabled=${locked}
          aria-autocomplete=${signs(this.ctx) ? 'list' : nothing}
          aria-controls=${this.found ? 'ck-suggestions' : nothing}
          aria-activedescendant=${this.found?.length ? `ck-suggestion-${this.active}` : nothing}
          contenteditable=${locked ? 'false' : EDITABLE}
          tabindex="0"
          dir="auto"
          enterkeyhint="send"
          data-placeholder=${this.empty ? placeholder : ''}
          @input=${this.changed}
          @keydown=${this.key}
          @paste=${this.paste}
          @click=${this.look}
          @blur=${() => (this.found = null)}
        ></div>
        ${this.bar(locked)}
        ${problem ? html`<div class="problem" role="alert">${problem}</div>` : nothing}
        ${this.dropping ? html`<div class="drop-hint">${icon('-clip')}${this.t('dropHere')}</div>` : nothing}
      </form>
      ${disclaimer
        ? html`<div class="disclaimer ${disclaimer.highContrast ? 'high' : ''}">
            <ck-markdown dir="auto" .ctx=${this.ctx} .text=${disclaimer.text}></ck-markdown>
          </div>`
        : nothing}`;
  }

  private files(): TemplateResult | typeof nothing {
    const { list } = this.ctx.composer.uploads;
    if (!list.length) return nothing;
    return html`<ul class="uploads" aria-label=${this.t('attachments')}>
      ${repeat(list, (each) => each.key, (each) => html`<li class="upload ${each.failure ? 'failed' : ''}">${this.file(each)}</li>`)}
    </ul>`;
  }

  private file(upload: Upload): TemplateResult {
    const { key, name, preview, progress, attachment, failure } = upload;
    const percent = Math.round((progress ?? 0) * 100);
    return html`${preview && /^(blob|data|https?):/.test(preview)
        ? html`<img class="thumb" src=${preview} alt="" />`
        : html`<span class="file-icon">${icon('document')}</span>`}
      <span class="file-name"><bdi>${name}</bdi></span>
      ${attachment || failure
        ? nothing
        : html`<progress max="100" value=${progress === null ? nothing : percent} aria-label=${this.t('uploading', name, percent)}></progress>`}
      ${failure ? icon('-warning') : nothing}
      ${button('close', this.t('removeFile', name), () => void this.ctx.composer.uploads.remove(key).catch((error) => this.ctx.fail(error)))}`;
  }

  private bar(locked: boolean): TemplateResult {
    const { composer = {}, entities } = this.ctx.options;
    const { toolId, modelId } = this.ctx.composer.state;
    const { attachments, tools = [], models = [], dictation } = composer;
    const pinned = tools.filter((tool) => tool.pinned);
    const inMenu = tools.filter((tool) => !tool.pinned);
    const chosen = tools.find(({ id }) => id === toolId);
    const plus = [
      ...(attachments?.enabled ? [{ id: '', label: this.t('attach'), icon: '-clip' }] : []),
      ...inMenu.map((tool) => ({ id: tool.id, label: tool.label, icon: tool.icon, checked: tool.id === toolId })),
    ];
    const model = models.find(({ id }) => id === modelId);
    const accept = Object.entries(attachments?.accept ?? {}).flatMap(([type, endings]) => [type, ...endings]);
    return html`<div class="bar">
      ${plus.length
        ? html`<ck-menu
            .ctx=${this.ctx}
            .label=${this.t(inMenu.length ? 'tools' : 'attach')}
            .glyph=${'plus'}
            .items=${plus}
            .disabled=${locked}
            .choose=${(id: string) => (id ? this.tool(id) : this.browse())}
          ></ck-menu>`
        : nothing}
      <input class="files" type="file" multiple hidden aria-hidden="true" accept=${accept.join(',') || nothing} @change=${this.picked} />
      ${entities?.onTagSearch && entities.showComposerMenu ? button('-at', this.t('mention'), this.mention, undefined, locked) : nothing}
      ${pinned.map(
        (tool) => html`<button
          class="tool-button ${tool.id === toolId ? 'on' : ''}"
          type="button"
          aria-pressed=${tool.id === toolId}
          ?disabled=${locked}
          @click=${() => this.tool(tool.id)}
        >
          ${icon(tool.icon, () => this.requestUpdate())}<span>${tool.shortLabel ?? tool.label}</span>
        </button>`,
      )}
      ${chosen && !chosen.pinned
        ? html`<button class="tool-button on" type="button" aria-label=${this.t('removeTool', chosen.label)} @click=${() => this.tool(chosen.id)}>
            ${icon(chosen.icon, () => this.requestUpdate())}<span>${chosen.shortLabel ?? chosen.label}</span>${icon('close')}
          </button>`
        : nothing}
      <span class="grow"></span>
      ${models.length
        ? html`<ck-menu
            .ctx=${this.ctx}
            .label=${this.t('model')}
            .caption=${model?.label ?? this.t('model')}
            .look=${'text-button model'}
            .disabled=${locked}
            .items=${models.map((each) => ({
              id: each.id,
              label: each.label,
              description: each.description,
              disabled: each.disabled ?? false,
              checked: each.id === modelId,
            }))}
            .choose=${(id: string) => this.ctx.composer.choose({ modelId: id })}
          ></ck-menu>`
        : nothing}
      ${dictation?.enabled ? this.microphone(locked) : nothing} ${this.sendButton(locked)}
    </div>`;
  }

  private microphone(locked: boolean): TemplateResult {
    const state = this.dictation?.state ?? 'idle';
    if (state === 'transcribing')
      return html`<span class="icon-button" role="status">${icon('-loader')}<span class="hidden">${this.t('transcribing')}</span></span>`;
    return state === 'recording'
      ? html`<span class="recording">${button('-stop', this.t('stopDictating'), () => this.dictation!.stop(), true)}</span>`
      : button('-mic', this.t('dictate'), () => void this.dictate(), false, locked);
  }

  private sendButton(locked: boolean): TemplateResult {
    if (this.state.running)
      return html`<button
        class="send"
        type="button"
        aria-label=${this.t('stop')}
        title=${this.t('stop')}
        ?disabled=${!this.state.allowCancel}
        @click=${() => this.ctx.chat.stop()}
      >
        ${icon('-stop')}
      </button>`;
    return html`<button class="send" type="submit" aria-label=${this.t('send')} title=${this.t('send')} ?disabled=${locked || !this.ready}>
      ${icon('-send')}
    </button>`;
  }

  private suggestions(): TemplateResult | typeof nothing {
    if (!this.found) return nothing;
    let group: string | undefined;
    return html`<div
      class="popup suggestions"
      id="ck-suggestions"
      role="listbox"
      aria-label=${this.t(this.trigger?.sign === '@' ? 'suggestions' : 'commands')}
      @pointerdown=${(event: Event) => event.preventDefault()}
    >
      ${this.found.length
        ? this.found.map((each, index) => {
            const head = each.group !== group && each.group ? html`<div class="group" role="presentation">${each.group}</div>` : nothing;
            group = each.group;
            return html`${head}
              <div
                class="option ${index === this.active ? 'active' : ''}"
                id="ck-suggestion-${index}"
                role="option"
                aria-selected=${index === this.active}
                @click=${() => void this.pick(each)}
              >
                ${each.icon ? icon(each.icon, () => this.requestUpdate()) : nothing}
                <span class="grow">${each.label}${each.description ? html`<span class="hint">${each.description}</span>` : nothing}</span>
              </div>`;
          })
        : html`<div class="none" role="option" aria-selected="false" aria-disabled="true">${this.t('nothingFound')}</div>`}
    </div>`;
  }

  protected override updated(changed: PropertyValues): void {
    if (changed.has('active')) this.querySelector('.option.active')?.scrollIntoView({ block: 'nearest' });
  }

  // -- sending ----------------------------------------------------------------------------------

  private get ready(): boolean {
    const { uploads } = this.ctx.composer;
    const filled = !this.empty || uploads.list.some((each) => each.attachment);
    return filled && !uploads.busy && !this.state.running && !this.state.loading;
  }

  async send(): Promise<void> {
    if (!this.ready) return;
    const content = contentOf(this.editor);
    const { attachments, quote, inference } = this.ctx.composer.take();
    this.problem = '';
    fill(this.editor, []);
    this.changed();
    try {
      await this.ctx.chat.send({ content, attachments, quote, inference });
    } catch (error) {
      this.ctx.fail(error, true);
    }
  }

  // -- typing -----------------------------------------------------------------------------------

  private changed = (): void => {
    const { editor } = this;
    this.empty = contentOf(editor).length === 0;
    // What is left of a deleted text is a line break that nobody sees and that hides the placeholder.
    if (this.empty && !editor.textContent?.trim() && editor.childNodes.length && !/\n.*\n/.test(editor.textContent ?? '')) {
      if (editor.innerText.trim() === '' && editor.querySelector('br')) editor.replaceChildren();
    }
    this.look();
  };

  private look = (): void => {
    this.trigger = triggerAt(this.editor, signs(this.ctx));
    void this.search();
  };

  private async search(): Promise<void> {
    const { trigger } = this;
    const turn = ++this.searched;
    if (!trigger) {
      this.found = null;
      return;
    }
    try {
      const found = await suggest(this.ctx, trigger, () => this.browse());
      if (turn !== this.searched) return;
      this.found = found;
      this.active = 0;
    } catch (error) {
      if (turn === this.searched) this.found = null;
      this.ctx.fail(error);
    }
  }

  private async pick(each: Suggestion): Promise<void> {
    const range = this.trigger?.range ?? null;
    this.found = null;
    this.searched++;
    if (each.entity) return this.insertEntity(each.entity, range);
    insert(this.editor, range);
    this.changed();
    each.act?.();
    if (!each.command) return;
    try {
      const answer = await this.ctx.options.commands?.onSelect?.(each.command);
      if (answer?.type === 'entity') this.insertEntity(answer.entity, null);
      if (answer?.type === 'menu') {
        this.trigger = null;
        this.found = ofCommands(answer.commands);
        this.active = 0;
        this.editor.focus();
      }
    } catch (error) {
      this.ctx.fail(error, true);
    }
  }

  private insertEntity(entity: Parameters<typeof tagOf>[0], range: Range | null): void {
    insert(this.editor, range, chip(tagOf(entity)), document.createTextNode(' '));
    this.trigger = null;
    this.changed();
  }

  private mention = (): void => {
    const before = this.editor.textContent ?? '';
    insert(this.editor, null, document.createTextNode(before && !/\s$/.test(before) ? ' @' : '@'));
    this.changed();
  };

  private key = (event: KeyboardEvent): void => {
    if (event.isComposing) return;
    const { found } = this;
    if (found && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const step = event.key === 'ArrowDown' ? 1 : -1;
      this.active = (this.active + step + found.length) % Math.max(1, found.length);
    } else if (found?.length && (event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey) {
      event.preventDefault();
      void this.pick(found[this.active]!);
    } else if (event.key === 'Escape') {
      if (found) this.found = null;
      else if (this.state.running && this.state.allowCancel) this.ctx.chat.stop();
      else return;
      event.stopPropagation();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      void this.send();
    }
  };

  private paste = (event: ClipboardEvent): void => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length && this.ctx.options.composer?.attachments?.enabled) {
      event.preventDefault();
      this.addFiles(files);
    } else if (EDITABLE !== 'plaintext-only') {
      event.preventDefault();
      insert(this.editor, null, document.createTextNode(event.clipboardData?.getData('text/plain') ?? ''));
      this.changed();
    }
  };

  // -- files, tools, speech ---------------------------------------------------------------------

  addFiles(files: Iterable<File>): void {
    const refused = this.ctx.composer.uploads.add(files);
    this.problem = refused.map((each) => this.why(each)).join(' ');
  }

  /** Why a file did not come in, in the server's own words where it has any for people. */
  private whyFailed({ name, failure }: Upload): string[] {
    if (!failure) return [];
    if (failure.code === 'attachment_type') return [this.t('wrongType', name)];
    return [this.t('uploadFailed', name), failure.code ? failure.message : ''];
  }

  private why(refusal: Refusal): string {
    if (refusal.reason === 'tooMany') return this.t('tooMany', refusal.limit);
    if (refusal.reason === 'wrongType') return this.t('wrongType', refusal.name);
    const bytes = new Intl.NumberFormat(this.ctx.locale.tag, {
      style: 'unit',
      unit: refusal.limit >= 1e6 ? 'megabyte' : 'kilobyte',
      maximumFractionDigits: 1,
    });
    return this.t('tooLarge', refusal.name, bytes.format(refusal.limit / (refusal.limit >= 1e6 ? 1024 * 1024 : 1024)));
  }

  private browse(): void {
    this.querySelector<HTMLInputElement>('.files')?.click();
  }

  private picked = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    this.addFiles([...(input.files ?? [])]);
    input.value = '';
  };

  private tool(id: string): void {
    this.ctx.composer.choose({ toolId: this.ctx.composer.state.toolId === id ? null : id });
    this.focusEditor();
  }

  private async dictate(): Promise<void> {
    try {
      const { Dictation } = await import('../state/dictation');
      this.dictation ??= new Dictation(this.ctx.chat.client, () => this.requestUpdate());
      const text = await this.dictation.start();
      if (!text) return;
      const before = this.editor.textContent ?? '';
      insert(this.editor, null, document.createTextNode(before && !/\s$/.test(before) ? ` ${text}` : text));
      this.changed();
    } catch (error) {
      const denied = error instanceof DOMException;
      if (denied) this.problem = this.t('noMicrophone');
      this.ctx.fail(error, !denied);
    }
  }
}

/** Firefox knows it since 136, Safari and Chromium for long. */
const EDITABLE = (() => {
  const probe = document.createElement('div');
  try {
    probe.contentEditable = 'plaintext-only';
    return 'plaintext-only';
  } catch {
    return 'true';
  }
})();

define('ck-composer', ComposerPart);
