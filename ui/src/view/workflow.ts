/** Workflows, thoughts and tasks: what the assistant does before and beside its words. */
import { html, nothing, type TemplateResult } from 'lit';
import type { Source, Task, Workflow } from '../wire/types';
import { sourceView } from './citations';
import { icon } from './icons';
import type { Locale } from '../strings/locale';
import { define, Part, type Ctx } from './part';

export class WorkflowPart extends Part {
  static override properties = {
    ...Part.properties,
    workflow: { attribute: false },
    running: { attribute: false },
    chosen: { state: true },
  };
  declare workflow: Workflow;
  declare running: boolean;
  /** What the user chose; undefined until then. */
  declare chosen: boolean | undefined;

  protected override render(): TemplateResult {
    const { tasks, summary, expanded, type } = this.workflow;
    const open = this.chosen ?? expanded ?? false;
    const last = tasks.at(-1);
    const title = summary
      ? (summary.title ?? this.t('thoughtFor', time(this.ctx.locale, summary.duration ?? 0)))
      : type === 'reasoning'
        ? (this.running && last?.title) || this.t('thinking')
        : (this.running && last && taskTitle(last)) || this.t('steps', tasks.length);
    const glyph = summary?.icon ?? (type === 'reasoning' ? '-thought' : 'bolt');
    return html`<div class="workflow">
      <button
        class="workflow-head"
        type="button"
        aria-expanded=${open}
        ?disabled=${!tasks.length}
        @click=${() => (this.chosen = !open)}
      >
        ${this.running && !summary ? icon('-loader') : icon(glyph, () => this.requestUpdate())}
        <span class=${this.running && !summary ? 'shimmer' : ''}>${title}</span>
        ${tasks.length ? icon('-chevron') : nothing}
      </button>
      ${open && tasks.length ? html`<ol class="tasks">${tasks.map((task) => html`<li>${this.task(task)}</li>`)}</ol>` : nothing}
    </div>`;
  }

  private task(task: Task): TemplateResult {
    return taskView(this.ctx, task, this.running, () => this.requestUpdate());
  }
}

define('ck-workflow', WorkflowPart);

export function taskView(ctx: Ctx, task: Task, running: boolean, redraw: () => void): TemplateResult {
  const loading = running && task.status_indicator === 'loading';
  const status = loading ? '-loader' : task.status_indicator === 'complete' ? 'check' : (task.icon ?? GLYPHS[task.type] ?? 'dot');
  const title = taskTitle(task);
  const sources: Source[] = task.sources ?? [];
  return html`<div class="task">
    <span class="task-icon">${icon(status, redraw)}</span>
    <div class="grow">
      ${title ? html`<div class=${loading ? 'shimmer task-title' : 'task-title'}>${title}</div>` : nothing}
      ${task.content
        ? html`<ck-markdown class="task-text" dir="auto" .ctx=${ctx} .text=${task.content} .growing=${running}></ck-markdown>`
        : nothing}
      ${task.queries?.length
        ? html`<div class="queries">${task.queries.map((query) => html`<span class="query">${icon('search')}${query}</span>`)}</div>`
        : nothing}
      ${sources.length ? html`<div class="source-list">${sources.map((each) => sourceView(ctx, each))}</div>` : nothing}
    </div>
  </div>`;
}

const GLYPHS: Record<string, string> = { web_search: 'globe', thought: '-thought', file: 'document', image: 'square-image', custom: 'dot' };

function taskTitle(task: Task): string {
  return [task.title, task.title_query].filter(Boolean).join(' · ');
}

function time(locale: Locale, seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return locale.t('seconds', whole);
  const rest = whole % 60;
  return [locale.t('minutes', Math.floor(whole / 60)), rest ? locale.t('seconds', rest) : ''].filter(Boolean).join(' ');
}
