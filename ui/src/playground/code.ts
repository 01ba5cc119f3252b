/** The options as code to paste into a page. */

const HOOKS: Record<string, string> = {
  onClientTool: 'async ({ name, params }) => ({})',
  'entities.onTagSearch': 'async (query) => []',
  'widgets.onAction': 'async (action, widgetItem) => {}',
};

function literal(value: unknown, indent = ''): string {
  if (Array.isArray(value)) return value.length ? `[${value.map((each) => literal(each, indent)).join(', ')}]` : '[]';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const lines = Object.entries(value).map(([key, each]) => {
    const name = /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
    return `${inner}${name}: ${literal(each, inner)},`;
  });
  return lines.length ? `{\n${lines.join('\n')}\n${indent}}` : '{}';
}

export function asHtml(options: object, script: string): string {
  return `<script src="${script}"></script>
<openai-chatkit id="chat"></openai-chatkit>
<script type="module">
  await customElements.whenDefined('openai-chatkit');
  document.getElementById('chat').setOptions(${literal(options, '  ')});
</script>`;
}

export function asReact(options: object): string {
  return `import { ChatKit, useChatKit } from '@openai/chatkit-react';

export function Chat() {
  const { control } = useChatKit(${literal(options, '  ')});
  return <ChatKit control={control} style={{ height: '600px' }} />;
}`;
}

export const hooks = Object.entries(HOOKS)
  .map(([path, code]) => `${path}: ${code}`)
  .join('\n');
