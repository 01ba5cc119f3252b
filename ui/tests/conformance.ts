/** Compiled, never run: fails when a member of `@openai/chatkit` is missing here or has another type. */
import type { ChatKitEvents, ChatKitOptions, CustomApiConfig, OpenAIChatKit } from '@openai/chatkit';
import { ChatKitElement } from '../src/element';
import { normalize, type Options } from '../src/state/options';
import type { Details } from '../src/view/part';

type Own = Exclude<keyof OpenAIChatKit, keyof HTMLElement>;
/** Every method of the hosted element, callable as it is there. */
export const methods: Pick<OpenAIChatKit, Own> = null! as ChatKitElement;
export const element: HTMLElement = null! as ChatKitElement;

/** Every event, with its detail. */
type Detail<K extends keyof ChatKitEvents> = ChatKitEvents[K] extends CustomEvent<infer D> ? D : never;
export const details: { [K in keyof ChatKitEvents]: Detail<K> } = null! as Details;

/** Every option; `api` is the custom one. */
type Rest<T> = Omit<T, 'api'>;
export const options: Required<Rest<ChatKitOptions>> = null! as Required<Rest<Options>>;
export const api: CustomApiConfig = null! as Options['api'];
export const accepted: Parameters<ChatKitElement['setOptions']>[0] = null! as ChatKitOptions;
export const result: Options = normalize(null).options;
