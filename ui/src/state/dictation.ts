/** Speech to text: recorded by the browser, written down by the server (`input.transcribe`). */
import type { Client } from '../wire/client';

const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];

export type DictationState = 'idle' | 'recording' | 'transcribing';

export class Dictation {
  state: DictationState = 'idle';
  private recorder: MediaRecorder | null = null;

  constructor(
    private readonly client: Client,
    private readonly changed: () => void,
  ) {}

  private set(state: DictationState): void {
    this.state = state;
    this.changed();
  }

  /** Record until {@link stop}; gives the text. Rejects when there is no microphone, or the server cannot. */
  async start(): Promise<string> {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    try {
      const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
      const recorder = (this.recorder = new MediaRecorder(stream, mimeType ? { mimeType } : {}));
      const chunks: Blob[] = [];
      recorder.ondataavailable = ({ data }) => chunks.push(data);
      const ended = new Promise<void>((resolve) => (recorder.onstop = () => resolve()));
      recorder.start(1000);
      this.set('recording');
      await ended;
      this.set('transcribing');
      const audio = await base64(new Blob(chunks));
      const type = recorder.mimeType || mimeType || 'audio/webm';
      return (await this.client.request('input.transcribe', { audio_base64: audio, mime_type: type })).text;
    } finally {
      this.recorder = null;
      for (const track of stream.getTracks()) track.stop();
      this.set('idle');
    }
  }

  stop(): void {
    if (this.recorder?.state === 'recording') this.recorder.stop();
  }
}

function base64(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
