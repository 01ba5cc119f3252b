/** Which images are loaded. A URL is a message to whoever owns its host, and text of a model may have chosen it. */

export type ImagePolicy = (url: string) => boolean;

/**
 * Pictures in the URL itself, those of the page and of the ChatKit server, and those of the hosts that the thread allows
 * (`allowed_image_domains`; a host allows its subdomains too).
 */
export function policy(apiUrl: string, domains: readonly string[] | null | undefined): ImagePolicy {
  const own = new Set([location.origin, parse(apiUrl)?.origin]);
  const hosts = (domains ?? []).map((domain) => domain.toLowerCase().replace(/^\*?\./, ''));
  return (url) => {
    const parsed = parse(url);
    if (!parsed) return false;
    if (parsed.protocol === 'data:') return /^data:image\//i.test(url);
    if (parsed.protocol === 'blob:') return true;
    if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') return false;
    if (own.has(parsed.origin)) return true;
    return hosts.some((host) => host === '*' || parsed.hostname === host || parsed.hostname.endsWith(`.${host}`));
  };
}

/** A URL that the server made itself, such as an attachment's preview: any host, but nothing that is no picture. */
export function isPicture(url: unknown): url is string {
  return typeof url === 'string' && (/^data:image\//i.test(url) || /^(https?|blob):$/.test(parse(url)?.protocol ?? ''));
}

export function hostOf(url: string): string {
  return parse(url)?.host || url.slice(0, 40);
}

function parse(url: string): URL | null {
  try {
    return new URL(url, document.baseURI);
  } catch {
    return null;
  }
}
