/** The script's entry: defines the element, unless the page has one of that name already. */
import { ChatKitElement } from './element';

export { ChatKitElement };

/** Define the element under another name too. */
export function defineChatKit(name = 'openai-chatkit'): void {
  if (customElements.get(name)) return;
  // A constructor can have one name only.
  customElements.define(name, customElements.getName?.(ChatKitElement) ? class extends ChatKitElement {} : ChatKitElement);
}

defineChatKit();
const name = document.currentScript?.getAttribute('data-tag');
if (name) defineChatKit(name);
