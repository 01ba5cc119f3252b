/** Files on their way to the server, by either strategy. Limits are checked here for the user's sake only. */
import type { ComposerOption, FileUploadStrategy } from '@openai/chatkit';
import { type Client, refusal } from '../wire/client';
import { ChatKitError } from '../wire/errors';
import type { Attachment } from '../wire/types';

export interface Upload {
  key: number;
  name: string;
  type: string;
  /** A local picture of an image, for as long as it is in the composer. */
  preview: string | null;
  /** 0 to 1; null when nobody can tell. */
  progress: number | null;
  attachment: Attachment | null;
  failure: ChatKitError | null;
}

export type Refusal = { reason: 'tooLarge'; name: string; limit: number } | { reason: 'tooMany'; limit: number } | { reason: 'wrongType'; name: string };

type AttachmentOptions = NonNullable<ComposerOption['attachments']>;

const MAX_SIZE = 100 * 1024 * 1024;
const MAX_COUNT = 10;

export class Uploads {
  list: readonly Upload[] = [];
  private listeners = new Set<() => void>();
  private running = new Map<number, AbortController>();
  private next = 1;

  constructor(
    private readonly client: Client,
    private readonly strategy: () => FileUploadStrategy | undefined,
    private readonly options: () => AttachmentOptions | undefined,
    private readonly fail: (error: unknown) => void,
  ) {}

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private set(list: readonly Upload[]): void {
    this.list = list;
    for (const listener of this.listeners) listener();
  }

  private change(key: number, change: Partial<Upload>): void {
    this.set(this.list.map((each) => (each.key === key ? { ...each, ...change } : each)));
  }

  get busy(): boolean {
    return this.list.some((each) => !each.attachment && !each.failure);
  }

  /** Begin to upload files; says which are refused, and why. */
  add(files: Iterable<File>): Refusal[] {
    const refused: Refusal[] = [];
    const { maxCount = MAX_COUNT } = this.options() ?? {};
    for (const file of files) {
      const refusal = this.list.length >= maxCount ? ({ reason: 'tooMany', limit: maxCount } as const) : check(file, this.options());
      if (refusal) {
        if (refusal.reason !== 'tooMany' || !refused.some((each) => each.reason === 'tooMany')) refused.push(refusal);
        continue;
      }
      const key = this.next++;
      const preview = file.type.startsWith('image/') ? URL.createObjectURL(file) : null;
      this.set([...this.list, { key, name: file.name, type: file.type, preview, progress: 0, attachment: null, failure: null }]);
      void this.upload(key, file);
    }
    return refused;
  }

  /** Attachments that the server has already. */
  addStored(attachments: Attachment[]): void {
    const fresh = attachments.map((attachment) => ({
      key: this.next++,
      name: attachment.name,
      type: attachment.mime_type,
      preview: attachment.preview_url ?? null,
      progress: 1,
      attachment,
      failure: null,
    }));
    this.set([...this.list, ...fresh]);
  }

  /** Take a file out again; the server forgets it. */
  async remove(key: number): Promise<void> {
    const upload = this.list.find((each) => each.key === key);
    this.running.get(key)?.abort();
    this.forget(upload);
    this.set(this.list.filter((each) => each.key !== key));
    if (upload?.attachment) await this.client.request('attachments.delete', { attachment_id: upload.attachment.id });
  }

  /** The finished attachments, which a message takes with it. */
  take(): Attachment[] {
    const taken = this.list.flatMap(({ attachment }) => (attachment ? [attachment] : []));
    for (const each of this.list) this.forget(each);
    this.set([]);
    return taken;
  }

  private forget(upload: Upload | undefined): void {
    if (upload?.preview?.startsWith('blob:')) URL.revokeObjectURL(upload.preview);
  }

  private async upload(key: number, file: File): Promise<void> {
    const abort = new AbortController();
    this.running.set(key, abort);
    const progress = (part: number | null): void => this.change(key, { progress: part });
    try {
      const attachment = await this.transfer(file, progress, abort.signal);
      this.change(key, { attachment, progress: 1 });
    } catch (error) {
      if (abort.signal.aborted) return;
      const failure = error instanceof ChatKitError ? error : new ChatKitError('FileAttachmentError', String(error));
      this.change(key, { failure });
      this.fail(new ChatKitError('FileAttachmentError', `${file.name}: ${failure.message}`, failure.status, failure.code, failure.requestId));
    } finally {
      this.running.delete(key);
    }
  }

  private async transfer(file: File, progress: (part: number | null) => void, signal: AbortSignal): Promise<Attachment> {
    const strategy = this.strategy();
    if (!strategy) throw new ChatKitError('IntegrationError', 'attachments need api.uploadStrategy');
    if (strategy.type === 'direct') {
      const text = await this.send(strategy.uploadUrl, 'POST', {}, form(file), progress, signal);
      return JSON.parse(text) as Attachment;
    }
    const params = { name: file.name, size: file.size, mime_type: file.type || 'application/octet-stream' };
    const attachment = await this.client.request('attachments.create', params, signal);
    const to = attachment.upload_descriptor;
    if (to) {
      // A PUT takes the bytes as they are (signed storage URLs); a POST takes a form, as older servers expect.
      const put = to.method.toUpperCase() === 'PUT';
      try {
        await this.send(to.url, to.method, to.headers ?? {}, put ? file : form(file), progress, signal);
      } catch (error) {
        // What was announced and did not come is nobody's; when this fails too, the server sweeps it.
        this.client.request('attachments.delete', { attachment_id: attachment.id }).catch(() => undefined);
        throw error;
      }
    }
    return { ...attachment, upload_descriptor: null };
  }

  /** Only XMLHttpRequest tells how far an upload is; the page's own fetch, where it has one, comes first. */
  private async send(
    url: string,
    method: string,
    headers: Record<string, string>,
    body: FormData | File,
    progress: (part: number | null) => void,
    signal: AbortSignal,
  ): Promise<string> {
    if (this.client.options.fetch) {
      progress(null);
      const response = await this.client.fetch(url, { method, headers, body, signal });
      if (!response.ok) throw await refusal('upload', response);
      return response.text();
    }
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = ({ loaded, total, lengthComputable }) => progress(lengthComputable ? loaded / total : null);
      request.onload = () => {
        const { status, responseText: text } = request;
        if (status >= 200 && status < 300) resolve(text);
        else void refusal('upload', new Response(text || null, { status })).then(reject);
      };
      request.onerror = () => reject(new ChatKitError('FileAttachmentError', 'the connection failed'));
      request.onabort = () => reject(new ChatKitError('FileAttachmentError', 'stopped'));
      signal.addEventListener('abort', () => request.abort());
      request.send(body);
    });
  }
}

function form(file: File): FormData {
  const data = new FormData();
  data.append('file', file, file.name);
  return data;
}

export function check(file: Pick<File, 'name' | 'size' | 'type'>, options: AttachmentOptions | undefined): Refusal | null {
  const { accept, maxSize = MAX_SIZE } = options ?? {};
  if (accept && !Object.entries(accept).some(([type, endings]) => fits(file, type, endings)))
    return { reason: 'wrongType', name: file.name };
  const limit = typeof maxSize === 'number' ? maxSize : limitFor(file.type, maxSize);
  return file.size > limit ? { reason: 'tooLarge', name: file.name, limit } : null;
}

function fits(file: Pick<File, 'name' | 'type'>, type: string, endings: string[]): boolean {
  const name = file.name.toLowerCase();
  if (endings.some((ending) => name.endsWith(ending.toLowerCase()))) return true;
  return matches(file.type, type) && (!endings.length || !name.includes('.'));
}

function limitFor(type: string, limits: Record<string, number>): number {
  if (Object.hasOwn(limits, type)) return limits[type]!;
  const pattern = Object.keys(limits).find((each) => each !== '*' && each !== '' && matches(type, each));
  return pattern ? limits[pattern]! : (limits['*'] ?? limits[''] ?? MAX_SIZE);
}

function matches(type: string, pattern: string): boolean {
  return pattern === '*/*' || type === pattern || (pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)));
}
