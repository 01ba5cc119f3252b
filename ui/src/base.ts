/** Where this script was loaded from: its on-demand parts lie beside it. */

/** Set by the build: the same source is built as a classic script and as a module. */
declare const IS_MODULE: boolean;

function own(): string {
  if (IS_MODULE) return import.meta.url;
  const script = document.currentScript ?? document.querySelector('script[src*="chatkit.js"]');
  return (script as HTMLScriptElement | null)?.src || location.href;
}

const base = own();

/** Load a part on demand, by its name in `src/lazy`. */
export function part<T>(name: string): Promise<T> {
  return import(new URL(`${name}.js`, base).href) as Promise<T>;
}
