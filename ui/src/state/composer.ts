/** What the composer holds besides its text: files, tool, model, the quoted text. Knows no DOM. */
import type { ComposerOption } from '@openai/chatkit';
import type { Attachment, InferenceOptions } from '../wire/types';
import type { Uploads } from './uploads';

export interface ComposerState {
  quote: string | null;
  toolId: string | null;
  modelId: string | null;
}

export class Composer {
  state: ComposerState = { quote: null, toolId: null, modelId: null };
  private listeners = new Set<() => void>();
  private option: ComposerOption = {};

  constructor(
    readonly uploads: Uploads,
    private readonly onTool: (toolId: string | null) => void,
  ) {
    uploads.subscribe(() => this.changed());
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.listeners) listener();
  }

  /** New options: a tool or model that is gone is not chosen any more. */
  configure(option: ComposerOption): void {
    this.option = option;
    const models = option.models ?? [];
    const usable = models.some(({ id, disabled }) => id === this.state.modelId && !disabled);
    const preset = models.find((model) => model.default && !model.disabled) ?? models.find((model) => !model.disabled);
    this.state = { ...this.state, modelId: usable ? this.state.modelId : (preset?.id ?? null) };
    if (this.state.toolId && !option.tools?.some(({ id }) => id === this.state.toolId)) this.choose({ toolId: null });
    this.changed();
  }

  choose(change: Partial<ComposerState>): void {
    const before = this.state.toolId;
    this.state = { ...this.state, ...change };
    if (this.state.toolId !== before) this.onTool(this.state.toolId);
    this.changed();
  }

  get inference(): InferenceOptions {
    const { toolId, modelId } = this.state;
    return { ...(toolId ? { tool_choice: { id: toolId } } : {}), ...(modelId ? { model: modelId } : {}) };
  }

  /** Take what is sent with a message; a tool that is not persistent is put away. */
  take(): { attachments: Attachment[]; quote: string | null; inference: InferenceOptions } {
    const taken = { attachments: this.uploads.take(), quote: this.state.quote, inference: this.inference };
    const tool = this.option.tools?.find(({ id }) => id === this.state.toolId);
    this.choose({ quote: null, toolId: tool?.persistent ? tool.id : null });
    return taken;
  }
}
