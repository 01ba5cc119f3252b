/** The active locale: which language the element speaks and which way it reads. */
import { en, type Key, type Strings } from './en';

const TRANSLATED: Record<string, () => Promise<{ strings: Strings }>> = {
  ar: () => import('../lazy/ar'),
  de: () => import('../lazy/de'),
  es: () => import('../lazy/es'),
  fr: () => import('../lazy/fr'),
  ja: () => import('../lazy/ja'),
  zh: () => import('../lazy/zh'),
  'zh-hant': () => import('../lazy/zh-hant'),
};
/** Languages among ChatKit's locales that are written from right to left. */
const RIGHT_TO_LEFT = new Set(['ar', 'ur', 'fa', 'he']);

export class Locale {
  constructor(
    /** As the page or the browser says it; sent as `Accept-Language`. */
    readonly tag: string,
    private readonly strings: Strings,
  ) {}

  get direction(): 'ltr' | 'rtl' {
    return RIGHT_TO_LEFT.has(language(this.tag)) ? 'rtl' : 'ltr';
  }

  /** The language that is really spoken, for the `lang` attribute. */
  get spoken(): string {
    return this.strings === en ? 'en' : this.tag;
  }

  t(key: Key, ...values: (string | number)[]): string {
    return this.strings[key].replace(/\{(\d)\}/g, (_, index: string) => String(values[Number(index)] ?? ''));
  }
}

export const ENGLISH = new Locale('en', en);

function language(tag: string): string {
  return tag.toLowerCase().split('-')[0] ?? '';
}

/** The name of that tag's words: Taiwan, Hong Kong and Macau read the traditional characters. */
function words(tag: string): string {
  return language(tag) === 'zh' && new Intl.Locale(tag).maximize().script === 'Hant' ? 'zh-hant' : language(tag);
}

/** The locale of that tag; English where a language has no translation, or it cannot be loaded. */
export async function load(tag: string): Promise<Locale> {
  try {
    return new Locale(tag, (await TRANSLATED[words(tag)]?.())?.strings ?? en);
  } catch {
    return new Locale(tag, en);
  }
}

/** `tag`, or the browser's language; what is no language tag is English. */
export function choose(tag: string | undefined): string {
  try {
    return Intl.getCanonicalLocales(tag ?? navigator.language)[0] ?? 'en';
  } catch {
    return 'en';
  }
}
