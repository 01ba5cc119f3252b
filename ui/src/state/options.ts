/**
 * The page's options: today's names (`ChatKitOptions` of `@openai/chatkit` 1.9.0) and the older ones of OpenAI's
 * custom-server guide, which become today's. A wrong one is refused with its path; an unknown one is reported.
 */
import type { ChatKitOptions, CustomApiConfig, FileUploadStrategy, StartScreenPrompt } from '@openai/chatkit';
import { ChatKitError } from '../wire/errors';

export type Options = Omit<ChatKitOptions, 'api'> & { api: CustomApiConfig };

type Loose = Record<string, any>;
type Tool = (params: Record<string, unknown>) => unknown;

/** Names of the guides before 1.0, all optional, accepted beside today's. */
export interface LegacyOptions {
  apiURL?: string;
  fetch?: typeof fetch;
  clientTools?: Record<string, Tool>;
  newThreadView?: { greeting?: string; starterPrompts?: LegacyPrompt[]; prompts?: LegacyPrompt[] } & Loose;
  messages?: { feedback?: boolean; retry?: boolean } & Loose;
  header?: boolean | Loose;
  history?: boolean | Loose;
}
type LegacyPrompt = Partial<StartScreenPrompt> & { name?: string };

const KNOWN: Record<string, readonly string[] | null> = {
  api: ['url', 'domainKey', 'fetch', 'uploadStrategy', 'getClientSecret'],
  locale: null,
  theme: ['colorScheme', 'typography', 'radius', 'density', 'color'],
  frameTitle: null,
  initialThread: null,
  onClientTool: null,
  header: ['enabled', 'title', 'leftAction', 'rightAction'],
  history: ['enabled', 'showDelete', 'showRename'],
  startScreen: ['greeting', 'prompts'],
  threadItemActions: ['feedback', 'retry'],
  composer: ['placeholder', 'attachments', 'tools', 'models', 'dictation'],
  disclaimer: ['text', 'highContrast'],
  entities: ['onTagSearch', 'showComposerMenu', 'onClick', 'onRequestPreview'],
  commands: ['enabled', 'onSearch', 'onSelect'],
  widgets: ['onAction'],
  thread: ['autoScroll'],
};

export interface Normalized {
  options: Options;
  /** Unknown keys, as paths. */
  unknown: string[];
}

/** Throws `IntegrationError` when the element cannot work with what was given. */
export function normalize(given: unknown): Normalized {
  if (typeof given !== 'object' || given === null) throw wrong('options', 'an object', given);
  const options = withTodaysNames({ ...(given as Loose) });
  const api = options['api'] as Loose | undefined;
  if (typeof api !== 'object' || api === null) throw wrong('api', 'an object with a url', api);
  if ('getClientSecret' in api && !api['url'])
    throw new ChatKitError('IntegrationError', 'api.getClientSecret is for the hosted backend; this element needs api.url');
  if (typeof api['url'] !== 'string') throw wrong('api.url', 'a string', api['url']);
  for (const [path, type] of TYPES) {
    const value = path.split('.').reduce<any>((at, key) => at?.[key], options);
    if (value !== undefined && value !== null && typeof value !== type) throw wrong(path, `a ${type}`, value);
  }
  for (const path of ['startScreen.prompts', 'composer.tools', 'composer.models']) {
    const value = path.split('.').reduce<any>((at, key) => at?.[key], options);
    if (value !== undefined && value !== null && !Array.isArray(value)) throw wrong(path, 'an array', value);
  }
  return { options: options as Options, unknown: unknownKeys(options) };
}

const TYPES = [
  ['api.fetch', 'function'],
  ['locale', 'string'],
  ['frameTitle', 'string'],
  ['initialThread', 'string'],
  ['onClientTool', 'function'],
  ['header', 'object'],
  ['history', 'object'],
  ['startScreen', 'object'],
  ['composer', 'object'],
  ['disclaimer.text', 'string'],
  ['entities.onTagSearch', 'function'],
  ['entities.onClick', 'function'],
  ['entities.onRequestPreview', 'function'],
  ['commands.onSearch', 'function'],
  ['commands.onSelect', 'function'],
  ['widgets.onAction', 'function'],
] as const;

function withTodaysNames(options: Loose): Loose {
  const { apiURL, fetch: ownFetch, clientTools, newThreadView, messages, ...today } = options;
  if (apiURL !== undefined || ownFetch !== undefined) {
    today['api'] = { domainKey: '', ...(apiURL === undefined ? {} : { url: apiURL }), ...today['api'] };
    if (ownFetch) today['api'].fetch ??= ownFetch;
  }
  if (clientTools && !today['onClientTool']) {
    today['onClientTool'] = ({ name, params }: { name: string; params: Record<string, unknown> }) => {
      const tool = (clientTools as Record<string, Tool>)[name];
      if (!Object.hasOwn(clientTools, name) || typeof tool !== 'function') throw new Error(`no client tool ${name}`);
      return tool(params);
    };
  }
  if (newThreadView && !today['startScreen']) {
    const { starterPrompts, prompts = starterPrompts, ...rest } = newThreadView;
    today['startScreen'] = { ...rest, ...(prompts ? { prompts } : {}) };
  }
  const start = today['startScreen'];
  if (Array.isArray(start?.prompts))
    today['startScreen'] = {
      ...start,
      prompts: start.prompts.map(({ name, ...prompt }: LegacyPrompt) => (name ? { label: name, ...prompt } : prompt)),
    };
  if (messages && !today['threadItemActions']) {
    const { feedback, retry } = messages;
    today['threadItemActions'] = { ...(feedback === undefined ? {} : { feedback }), ...(retry === undefined ? {} : { retry }) };
  }
  for (const key of ['header', 'history']) {
    if (typeof today[key] === 'boolean') today[key] = { enabled: today[key] };
  }
  if (today['header']?.customButtonLeft || today['header']?.customButtonRight) {
    const { customButtonLeft, customButtonRight, ...header } = today['header'];
    today['header'] = { leftAction: customButtonLeft, rightAction: customButtonRight, ...header };
  }
  const strategy = today['composer']?.attachments?.uploadStrategy as FileUploadStrategy | undefined;
  if (strategy) {
    const { uploadStrategy: _, ...attachments } = today['composer'].attachments;
    today['composer'] = { ...today['composer'], attachments };
    today['api'] = { uploadStrategy: strategy, ...today['api'] };
  }
  return today;
}

function unknownKeys(options: Loose): string[] {
  const found: string[] = [];
  for (const [key, value] of Object.entries(options)) {
    const inner = KNOWN[key];
    if (!Object.hasOwn(KNOWN, key)) found.push(key);
    else if (inner && typeof value === 'object' && value !== null)
      found.push(...Object.keys(value).filter((each) => !inner.includes(each)).map((each) => `${key}.${each}`));
  }
  return found;
}

function wrong(path: string, wanted: string, got: unknown): ChatKitError {
  return new ChatKitError('IntegrationError', `${path} must be ${wanted}, not ${got === null ? 'null' : typeof got}`);
}
