/** The playground: the element beside what goes over the wire. */
import { html, nothing, render, type TemplateResult } from 'lit';
import type { ChatKitElement } from '../element';
import { asHtml, asReact, hooks } from './code';
import { json, Recorder, replay, type Exchange } from './recorder';

type Tab = 'Frames' | 'Requests' | 'Items' | 'Timings' | 'Options' | 'Replay';
const TABS: Tab[] = ['Frames', 'Requests', 'Items', 'Timings', 'Options', 'Replay'];
const THREAD = 'chatkit-asgi:playground';

const endpoint = location.pathname.replace(/\/playground\/?$/, '') || '/';
const script = `${endpoint === '/' ? '' : endpoint}/element/chatkit.js`;
const chat = document.querySelector('openai-chatkit') as ChatKitElement;
const panel = document.querySelector('aside')!;

let tab: Tab = 'Frames';
let items: unknown[] = [];
let problem = '';
let events: { at: number; name: string; detail: unknown }[] = [];
let speed = 1;
let frame = 0;
let threadId: string | null = sessionStorage.getItem(THREAD);

const recorder = new Recorder(draw);

/** What the page may say as JSON; functions are added when it is set. */
let editable: Record<string, unknown> = {
  theme: { colorScheme: matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light' },
  history: { enabled: true, showDelete: true, showRename: true },
  threadItemActions: { feedback: true, retry: true },
  thread: { autoScroll: true },
  startScreen: {
    greeting: 'What shall we try?',
    prompts: [
      { label: 'Everything that ChatKit can show', prompt: '/tour', icon: 'sparkle-double' },
      { label: 'A widget', prompt: '/widget', icon: 'cube' },
      { label: 'A short story', prompt: 'Tell me a short story about a lighthouse.', icon: 'book-open' },
    ],
  },
  composer: { placeholder: 'Say something, or "/help"' },
};

const ENTITIES = ['Ada Lovelace', 'Grace Hopper', 'Lighthouse', 'Quarterly report'].map((title, index) => ({
  id: `entity-${index}`,
  title,
  icon: index < 2 ? 'user' : 'document',
  group: index < 2 ? 'People' : 'Documents',
  interactive: true,
}));

function apply(): void {
  const scheme = (editable['theme'] as { colorScheme?: string } | string | undefined) ?? 'light';
  document.documentElement.dataset['scheme'] = typeof scheme === 'string' ? scheme : (scheme.colorScheme ?? 'light');
  try {
    chat.setOptions({
      initialThread: threadId,
      onClientTool: ({ name, params }: { name: string; params: object }) => ({ answeredBy: 'the playground', name, params }),
      ...editable,
      api: { url: endpoint, domainKey: 'local', fetch: recorder.fetch, ...(editable['api'] as object) },
      entities: {
        onTagSearch: async (query: string) => ENTITIES.filter(({ title }) => title.toLowerCase().includes(query.toLowerCase())),
        onClick: (entity: unknown) => note('entities.onClick', entity),
        ...(editable['entities'] as object),
      },
      widgets: { onAction: async (action: unknown) => note('widgets.onAction', action) },
    } as never);
    problem = '';
  } catch (error) {
    problem = String(error);
  }
  draw();
}

function note(name: string, detail: unknown): void {
  events = [...events.slice(-199), { at: performance.now(), name, detail }];
  draw();
}

// -- drawing --------------------------------------------------------------------------------------

function draw(): void {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    render(view(), panel);
  });
}

function view(): TemplateResult {
  return html`<div role="tablist" aria-label="Panels" @keydown=${arrows}>
      ${TABS.map(
        (each) => html`<button
          role="tab"
          id="tab-${each}"
          aria-selected=${each === tab}
          aria-controls="panel"
          tabindex=${each === tab ? 0 : -1}
          @click=${() => show(each)}
        >
          ${each}
        </button>`,
      )}
    </div>
    <div role="tabpanel" id="panel" aria-labelledby="tab-${tab}" tabindex="0">${panels[tab]()}</div>`;
}

function arrows(event: KeyboardEvent): void {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length]!;
  show(next);
  requestAnimationFrame(() => document.getElementById(`tab-${next}`)?.focus());
}

function show(next: Tab): void {
  tab = next;
  if (next === 'Items') void readItems();
  draw();
}

const panels: Record<Tab, () => TemplateResult> = {
  Frames: () => html`<div class="bar">
      <button @click=${() => recorder.clear()}>Clear</button>
      <span class="dim">Each frame as it came, with the milliseconds since its request.</span>
    </div>
    ${recorder.exchanges.flatMap((exchange) => exchange.frames.map((each) => ({ ...each, exchange }))).slice(-400).map(
      ({ at, data }) => html`<details class="entry frame">
        <summary><span class="type">${summary(data)}</span><span class="dim right">${ms(at)}</span></summary>
        <pre>${pretty(data)}</pre>
      </details>`,
    )}`,
  Requests: () => html`${recorder.exchanges.map(
      (each) => html`<details class="entry">
        <summary>
          <span class="type">${each.type}</span>
          <span class=${each.status >= 400 || each.error ? 'bad' : 'dim'}>${each.error || each.status || '…'}</span>
          <span class="dim right">${each.took === null ? 'running' : ms(each.took)}</span>
        </summary>
        <pre>${JSON.stringify(each.request, null, 2)}</pre>
        ${each.body ? html`<pre>${pretty(each.body)}</pre>` : nothing}
        <p class="dim">${each.contentType} · ${each.frames.length} frames · ${each.requestId}</p>
      </details>`,
    )}
    <h2>Events of the element</h2>
    ${events.map(
      (each) => html`<details class="entry">
        <summary><span class="type">${each.name}</span><span class="dim right">${ms(each.at)}</span></summary>
        <pre>${JSON.stringify(each.detail, null, 2)}</pre>
      </details>`,
    )}`,
  Items: () => html`<div class="bar">
      <button @click=${() => void readItems()}>Read again</button>
      <span class="dim">${threadId ? `What the server stores of ${threadId}.` : 'No thread is open.'}</span>
    </div>
    ${items.map(
      (item) => html`<details class="entry">
        <summary><span class="type">${(item as { type: string }).type}</span><span class="dim right">${(item as { id: string }).id}</span></summary>
        <pre>${JSON.stringify(item, null, 2)}</pre>
      </details>`,
    )}`,
  Timings: () => html`<table>
    <thead>
      <tr>
        <th scope="col">Request</th>
        <th scope="col">Headers</th>
        <th scope="col">First frame</th>
        <th scope="col">First text</th>
        <th scope="col">End</th>
        <th scope="col">Frames</th>
        <th scope="col">Frames/s</th>
      </tr>
    </thead>
    <tbody>
      ${recorder.exchanges.map((each) => {
        const text = each.frames.find(({ data }) => data.includes('text_delta'));
        const rate = each.took && each.frames.length > 1 ? (each.frames.length / each.took) * 1000 : null;
        return html`<tr>
          <td>${each.type}</td>
          <td>${ms(each.headers)}</td>
          <td>${ms(each.frames[0]?.at)}</td>
          <td>${ms(text?.at)}</td>
          <td>${ms(each.took)}</td>
          <td>${each.frames.length || '–'}</td>
          <td>${rate ? Math.round(rate) : '–'}</td>
        </tr>`;
      })}
    </tbody>
  </table>`,
  Options: () => html`<div class="bar">
      ${choice('Scheme', 'theme.colorScheme', ['light', 'dark'])} ${choice('Density', 'theme.density', ['compact', 'normal', 'spacious'])}
      ${choice('Corners', 'theme.radius', ['pill', 'round', 'soft', 'sharp'])}
      ${choice('Language', 'locale', ['', 'en', 'de', 'fr', 'es', 'ja', 'zh', 'zh-TW', 'ar'])}
    </div>
    <label for="options" class="dim">The options, as JSON; applied as you type. Functions are the playground's own.</label>
    <textarea
      id="options"
      spellcheck="false"
      aria-invalid=${problem !== ''}
      .value=${JSON.stringify(editable, null, 2)}
      @input=${typed}
    ></textarea>
    ${problem ? html`<p class="bad" role="alert">${problem}</p>` : nothing}
    <div class="bar">
      <button @click=${() => copy(asHtml(asCode(), script))}>Copy as HTML</button>
      <button @click=${() => copy(asReact(asCode()))}>Copy as React</button>
    </div>
    <pre>${hooks}</pre>`,
  Replay: () => html`<div class="bar">
      <button @click=${save}>Save this conversation</button>
      <label class="file">Play a recording … <input type="file" accept="application/json" @change=${play} /></label>
      <label
        >Speed
        <select @change=${(event: Event) => (speed = Number((event.target as HTMLSelectElement).value))}>
          ${[1, 2, 5, 0].map((each) => html`<option value=${each} ?selected=${each === speed}>${each ? `${each}×` : 'at once'}</option>`)}
        </select></label
      >
      <button @click=${stopReplay}>Back to the server</button>
    </div>
    <p class="dim">
      A recording holds every exchange of this page with the server. While one plays, the element asks it instead: send the
      same messages again, and the recorded answers come at their own pace.
    </p>
    ${problem ? html`<p class="bad" role="alert">${problem}</p>` : nothing}`,
};

function summary(data: string): string {
  const event = json(data) as { type?: string; update?: { type: string }; item?: { type: string } } | null;
  if (!event) return data.slice(0, 60);
  return [event.type, event.update?.type ?? event.item?.type].filter(Boolean).join(' · ');
}

function pretty(text: string): string {
  const value = json(text);
  return value === null ? text : JSON.stringify(value, null, 2);
}

function ms(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${value < 100 ? value.toFixed(1) : Math.round(value)} ms`;
}

// -- options --------------------------------------------------------------------------------------

function choice(label: string, path: string, values: string[]): TemplateResult {
  const [outer, inner] = path.split('.') as [string, string?];
  const value = inner ? (editable[outer] as Record<string, unknown> | undefined)?.[inner] : editable[outer];
  const set = (event: Event): void => {
    const chosen = (event.target as HTMLSelectElement).value || undefined;
    editable = { ...editable, [outer]: inner ? { ...(editable[outer] as object), [inner]: chosen } : chosen };
    apply();
  };
  return html`<label
    >${label}
    <select @change=${set}>
      ${values.map((each) => html`<option value=${each} ?selected=${each === (value ?? '')}>${each || 'browser'}</option>`)}
    </select></label
  >`;
}

function typed(event: Event): void {
  try {
    const value: unknown = JSON.parse((event.target as HTMLTextAreaElement).value);
    if (typeof value !== 'object' || value === null) throw new Error('an object is needed');
    editable = value as Record<string, unknown>;
    apply();
  } catch (error) {
    problem = String(error);
    draw();
  }
}

function asCode(): object {
  return { api: { url: endpoint, domainKey: 'local' }, ...editable };
}

function copy(text: string): void {
  void navigator.clipboard.writeText(text).catch((error) => {
    problem = String(error);
    draw();
  });
}

// -- items and recordings -------------------------------------------------------------------------

async function readItems(): Promise<void> {
  items = [];
  let after: string | undefined;
  const asked = threadId;
  while (asked && asked === threadId) {
    const params = { thread_id: asked, order: 'asc', limit: 100, ...(after ? { after } : {}) };
    const response = await recorder.source(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'items.list', params }),
    });
    if (!response.ok) break;
    const page = (await response.json()) as { data: unknown[]; has_more: boolean; after?: string };
    items = [...items, ...page.data];
    draw();
    if (!page.has_more || !page.after) break;
    after = page.after;
  }
  draw();
}

function save(): void {
  const blob = new Blob([JSON.stringify(recorder.exchanges)], { type: 'application/json' });
  const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: 'conversation.json' });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function play(event: Event): Promise<void> {
  const [file] = (event.target as HTMLInputElement).files ?? [];
  if (!file) return;
  const recording = json(await file.text());
  if (!Array.isArray(recording)) {
    problem = 'This file is no recording of the playground.';
    return draw();
  }
  recorder.source = replay(recording as Exchange[], () => speed);
  recorder.clear();
  await chat.setThreadId(null);
  const first = (recording as Exchange[]).find((each) => each.type === 'threads.create');
  const content = (first?.request as { params?: { input?: { content?: never } } } | undefined)?.params?.input?.content;
  if (content) await chat.sendUserMessage({ content });
}

function stopReplay(): void {
  recorder.source = (input, init) => fetch(input, init);
  recorder.clear();
  void chat.setThreadId(null);
}

// -- start ----------------------------------------------------------------------------------------

for (const name of ['error', 'effect', 'deeplink', 'response.start', 'response.end', 'thread.change', 'tool.change', 'log', 'ready'])
  chat.addEventListener(`chatkit.${name}`, (event) => {
    const { detail } = event as CustomEvent<{ error?: Error; threadId?: string | null } | null>;
    if (name === 'thread.change') {
      threadId = detail?.threadId ?? null;
      if (threadId) sessionStorage.setItem(THREAD, threadId);
      else sessionStorage.removeItem(THREAD);
    }
    if (name === 'response.end' && tab === 'Items') void readItems();
    note(`chatkit.${name}`, detail?.error ? { error: `${detail.error.name}: ${detail.error.message}` } : detail);
  });
void customElements.whenDefined('openai-chatkit').then(apply);
draw();
