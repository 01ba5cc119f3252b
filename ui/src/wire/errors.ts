/** What goes wrong between the page and the server. `name` is what hosted ChatKit calls it where it has a name. */

export class ChatKitError extends Error {
  constructor(
    name: string,
    message: string,
    readonly status = 0,
    readonly code = '',
    readonly requestId = '',
  ) {
    super(message);
    this.name = name;
  }
}

export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}

export function isAbort(value: unknown): boolean {
  return value instanceof DOMException && value.name === 'AbortError';
}
