/** Questions of the assistant: choices and free text, answered or skipped, one by one or as a whole. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Answer, Question, StructuredInputItem } from '../wire/types';
import { icon } from './icons';
import { define, Part } from './part';

export class StructuredInputPart extends Part {
  static override properties = { ...Part.properties, item: { attribute: false }, blocked: { attribute: false }, sent: { state: true } };
  declare item: StructuredInputItem;
  declare blocked: boolean;
  declare sent: boolean;

  protected override render(): TemplateResult {
    const { status, inputs } = this.item;
    if (status !== 'pending') return html`<div class="questions done">${inputs.map((each) => this.answered(each))}</div>`;
    const idle = this.blocked || this.sent;
    return html`<form class="questions" @submit=${this.submit}>
      ${inputs.map((each) => this.question(each, idle))}
      <div class="buttons">
        <button class="button primary" type="submit" ?disabled=${idle}>${this.t('submit')}</button>
        <button class="button" type="button" ?disabled=${idle} @click=${() => this.send('skipped', {})}>${this.t('skip')}</button>
      </div>
    </form>`;
  }

  private question(question: Question, idle: boolean): TemplateResult {
    const { id, type, options = [], multiple, description } = question;
    if (type !== 'multiple_choice')
      return html`<label class="question">
        <span class="question-text" dir="auto">${question.question}</span>
        ${description ? html`<span class="hint">${description}</span>` : nothing}
        <textarea rows="2" data-question=${id} ?disabled=${idle}></textarea>
      </label>`;
    const kind = multiple ? 'checkbox' : 'radio';
    return html`<fieldset class="question" ?disabled=${idle}>
      <legend class="question-text" dir="auto">${question.question}</legend>
      ${options.map(
        ({ value }) => html`<label class="choice">
          <input type=${kind} name=${`${this.item.id}-${id}`} value=${value} data-question=${id} />
          <span dir="auto">${value}</span>
        </label>`,
      )}
      <label class="choice">
        <input
          type="text"
          class="other"
          placeholder=${this.t('otherAnswer')}
          aria-label=${this.t('otherAnswer')}
          data-question=${id}
        />
      </label>
    </fieldset>`;
  }

  private answered({ question, answer }: Question): TemplateResult {
    const values = answer?.values?.filter(Boolean) ?? [];
    return html`<div class="question">
      <div class="question-text" dir="auto">${question}</div>
      <div class="answer" dir="auto">
        ${values.length && !answer?.skipped ? values.map((value) => html`<span>${icon('check')}${value}</span>`) : this.t('skipped')}
      </div>
    </div>`;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const answers: Record<string, Answer> = {};
    for (const { id, multiple, type } of this.item.inputs) {
      const fields = [...this.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>('[data-question]')];
      const values = fields
        .filter((field) => field.dataset['question'] === id)
        .filter((field) => !/^(checkbox|radio)$/.test(field.type) || (field as HTMLInputElement).checked)
        .map((field) => field.value.trim())
        .filter(Boolean);
      // One's own words count more than the choice beside them.
      const kept = type === 'multiple_choice' && !multiple ? values.slice(-1) : values;
      answers[id] = kept.length ? { values: kept } : { skipped: true };
    }
    void this.send('answered', answers);
  }

  private async send(status: 'answered' | 'skipped', answers: Record<string, Answer>): Promise<void> {
    this.sent = true;
    try {
      await this.ctx.chat.answer(this.item.id, status, answers);
    } catch (error) {
      this.ctx.fail(error, true);
    } finally {
      this.sent = false;
    }
  }
}

define('ck-questions', StructuredInputPart);
