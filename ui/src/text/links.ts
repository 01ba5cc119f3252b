/** Where a link in untrusted text may lead. */

const SCHEMES = new Set(['http:', 'https:', 'mailto:', 'tel:', 'chatkit-link:']);

/** The address, or null when a click on it could do anything but navigate. */
export function safeLink(href: unknown): string | null {
  if (typeof href !== 'string') return null;
  try {
    return SCHEMES.has(new URL(href, document.baseURI).protocol) ? href : null;
  } catch {
    return null;
  }
}

/** `chatkit-link://name?key=value` as the detail of `chatkit.deeplink`. */
export function deeplink(href: string): { name: string; data: Record<string, string> } | null {
  const match = /^chatkit-link:(?:\/\/)?([^?#]*)(?:\?([^#]*))?/i.exec(href);
  if (!match) return null;
  const name = decode((match[1] ?? '').replace(/\/$/, ''));
  return { name, data: Object.fromEntries(new URLSearchParams(match[2] ?? '')) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
