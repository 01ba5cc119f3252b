/** The vocabulary of the wire, as a client reads it (fields that a server leaves out are optional). */

export type Json = unknown;
export type Obj = Record<string, unknown>;

export interface Page<T> {
  data: T[];
  has_more: boolean;
  after?: string | null;
}

export interface ThreadStatus {
  type: 'active' | 'locked' | 'closed';
  reason?: string | null;
}

export interface Thread {
  id: string;
  title?: string | null;
  created_at: string;
  status?: ThreadStatus;
  allowed_image_domains?: string[] | null;
  items?: Page<Item>;
}

export interface UserText {
  type: 'input_text';
  text: string;
}
export interface UserTag {
  type: 'input_tag';
  id: string;
  text: string;
  data?: Obj;
  group?: string | null;
  interactive?: boolean;
}
export type UserContent = UserText | UserTag;

export interface InferenceOptions {
  tool_choice?: { id: string } | null;
  model?: string | null;
}

export interface UploadDescriptor {
  url: string;
  method: string;
  headers?: Record<string, string>;
}

export interface Attachment {
  id: string;
  name: string;
  mime_type: string;
  type: 'file' | 'image';
  preview_url?: string | null;
  upload_descriptor?: UploadDescriptor | null;
}

export interface Source {
  type?: 'url' | 'file' | 'entity';
  title: string;
  description?: string | null;
  timestamp?: string | null;
  group?: string | null;
  url?: string;
  attribution?: string | null;
  filename?: string;
  id?: string;
  icon?: string | null;
  label?: string | null;
  inline_label?: string | null;
  interactive?: boolean;
  data?: Obj;
}

export interface Annotation {
  type: 'annotation';
  source: Source;
  index?: number | null;
}

export interface AssistantContent {
  type: 'output_text';
  text: string;
  annotations: Annotation[];
}

export interface Task {
  type: 'custom' | 'web_search' | 'thought' | 'file' | 'image';
  status_indicator?: 'none' | 'loading' | 'complete';
  title?: string | null;
  title_query?: string | null;
  icon?: string | null;
  content?: string | null;
  queries?: string[];
  sources?: Source[];
}

export interface Workflow {
  type: 'custom' | 'reasoning';
  tasks: Task[];
  summary?: { title?: string; icon?: string | null; duration?: number } | null;
  expanded?: boolean;
}

export interface Answer {
  values?: string[];
  skipped?: boolean;
}

export interface Question {
  type: 'multiple_choice' | 'freeform';
  id: string;
  question: string;
  answer?: Answer | null;
  options?: { value: string }[];
  multiple?: boolean;
  description?: string | null;
}

export interface GeneratedImage {
  id: string;
  url: string;
}

/** A widget root or component; props are read where they are drawn, because none of them can be trusted. */
export type WidgetNode = { type: string; id?: string; key?: string } & Obj;

export interface ActionConfig {
  type: string;
  payload?: unknown;
  handler?: 'server' | 'client';
  loadingBehavior?: 'auto' | 'none' | 'self' | 'container';
  streaming?: boolean;
}

interface Base {
  id: string;
  thread_id: string;
  created_at: string;
}

export type UserMessage = Base & {
  type: 'user_message';
  content: UserContent[];
  attachments?: Attachment[];
  quoted_text?: string | null;
  inference_options?: InferenceOptions;
};
export type AssistantMessage = Base & { type: 'assistant_message'; content: AssistantContent[] };
export type ClientToolCall = Base & {
  type: 'client_tool_call';
  status: 'pending' | 'completed';
  call_id: string;
  name: string;
  arguments: Obj;
  output?: Json;
};
export type WidgetItem = Base & { type: 'widget'; widget: WidgetNode; copy_text?: string | null };
export type ImageItem = Base & {
  type: 'generated_image';
  image?: GeneratedImage | null;
  /** Not on the wire as a field of the item: kept from `generated_image.updated`. */
  progress?: number | null;
};
export type StructuredInputItem = Base & {
  type: 'structured_input';
  status: 'pending' | 'answered' | 'skipped';
  inputs: Question[];
};
export type TaskItem = Base & { type: 'task'; task: Task };
export type WorkflowItem = Base & { type: 'workflow'; workflow: Workflow };
export type EndOfTurn = Base & { type: 'end_of_turn' };

export type Item =
  | UserMessage
  | AssistantMessage
  | ClientToolCall
  | WidgetItem
  | ImageItem
  | StructuredInputItem
  | TaskItem
  | WorkflowItem
  | EndOfTurn;

export type Update =
  | { type: 'assistant_message.content_part.added'; content_index: number; content: AssistantContent }
  | { type: 'assistant_message.content_part.text_delta'; content_index: number; delta: string }
  | {
      type: 'assistant_message.content_part.annotation_added';
      content_index: number;
      annotation_index: number;
      annotation: Annotation;
    }
  | { type: 'assistant_message.content_part.done'; content_index: number; content: AssistantContent }
  | { type: 'widget.streaming_text.value_delta'; component_id: string; delta: string; done: boolean }
  | { type: 'widget.root.updated'; widget: WidgetNode }
  | { type: 'widget.component.updated'; component_id: string; component: WidgetNode }
  | { type: 'workflow.task.added'; task_index: number; task: Task }
  | { type: 'workflow.task.updated'; task_index: number; task: Task }
  | { type: 'generated_image.updated'; image: GeneratedImage; progress?: number | null };

export interface ProgressEvent {
  type: 'progress_update';
  icon?: string | null;
  text: string;
}
export interface ErrorEvent {
  type: 'error';
  code: string;
  message?: string | null;
  allow_retry?: boolean;
}
export interface NoticeEvent {
  type: 'notice';
  level: 'info' | 'warning' | 'danger';
  message: string;
  title?: string | null;
}

export type StreamEvent =
  | { type: 'thread.created'; thread: Thread }
  | { type: 'thread.updated'; thread: Thread }
  | { type: 'thread.item.added'; item: Item }
  | { type: 'thread.item.updated'; item_id: string; update: Update }
  | { type: 'thread.item.done'; item: Item }
  | { type: 'thread.item.removed'; item_id: string }
  | { type: 'thread.item.replaced'; item: Item }
  | { type: 'stream_options'; stream_options: { allow_cancel: boolean } }
  | ProgressEvent
  | { type: 'client_effect'; name: string; data?: Obj }
  | ErrorEvent
  | NoticeEvent;

export interface UserMessageInput {
  content: UserContent[];
  attachments: string[];
  quoted_text?: string | null;
  inference_options: InferenceOptions;
}

/** Parameters by request type (wire.md section 4). */
export interface Requests {
  'threads.create': { input: UserMessageInput };
  'threads.add_user_message': { thread_id: string; input: UserMessageInput };
  'threads.add_client_tool_output': { thread_id: string; result: Json };
  'threads.add_structured_input': {
    thread_id: string;
    item_id: string;
    input: { status: 'answered' | 'skipped'; answers: Record<string, Answer> };
  };
  'threads.retry_after_item': { thread_id: string; item_id: string };
  'threads.custom_action': { thread_id: string; item_id?: string | null; action: { type: string; payload?: unknown } };
  'threads.sync_custom_action': {
    thread_id: string;
    item_id?: string | null;
    action: { type: string; payload?: unknown };
  };
  'threads.get_by_id': { thread_id: string };
  'threads.list': { limit?: number; order?: 'asc' | 'desc'; after?: string | null };
  'items.list': { thread_id: string; limit?: number; order?: 'asc' | 'desc'; after?: string | null };
  'items.feedback': { thread_id: string; item_ids: string[]; kind: 'positive' | 'negative' };
  'attachments.create': { name: string; size: number; mime_type: string };
  'attachments.delete': { attachment_id: string };
  'threads.update': { thread_id: string; title: string };
  'threads.delete': { thread_id: string };
  'input.transcribe': { audio_base64: string; mime_type: string };
}

export interface Responses {
  'threads.sync_custom_action': { updated_item?: Item | null };
  'threads.get_by_id': Thread & { items: Page<Item> };
  'threads.list': Page<Thread>;
  'items.list': Page<Item>;
  'items.feedback': Obj;
  'attachments.create': Attachment;
  'attachments.delete': Obj;
  'threads.update': Thread;
  'threads.delete': Obj;
  'input.transcribe': { text: string };
}

export type StreamType = Exclude<keyof Requests, keyof Responses>;
