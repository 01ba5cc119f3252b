/** What the composer suggests after "@" and "/": entities of the page, commands of the page and of the composer. */
import type { Command, Entity } from '@openai/chatkit';
import type { Trigger } from '../text/editor';
import type { Ctx } from './part';

export interface Suggestion {
  id: string;
  label: string;
  description?: string | undefined;
  icon?: string | undefined;
  group?: string | undefined;
  entity?: Entity;
  command?: Command;
  /** Of the composer itself. */
  act?: () => void;
}

/** The characters that open the list. */
export function signs({ options }: Ctx): string {
  return (options.entities?.onTagSearch ? '@' : '') + (options.commands?.enabled ? '/' : '');
}

export async function suggest(ctx: Ctx, trigger: Pick<Trigger, 'sign' | 'query'>, attach: () => void): Promise<Suggestion[]> {
  if (trigger.sign === '@') {
    const found = (await ctx.options.entities?.onTagSearch?.(trigger.query)) ?? [];
    return found.map((entity) => ({ id: entity.id, label: entity.title, icon: entity.icon, group: entity.group, entity }));
  }
  const found = (await ctx.options.commands?.onSearch?.(trigger.query)) ?? [];
  const query = trigger.query.toLocaleLowerCase();
  return [...ofCommands(found), ...builtIn(ctx, attach).filter(({ label }) => label.toLocaleLowerCase().includes(query))];
}

export function ofCommands(commands: Command[]): Suggestion[] {
  return commands.map((command) => ({
    id: command.id,
    label: command.label,
    description: command.description,
    icon: command.icon,
    group: command.group,
    command,
  }));
}

function builtIn(ctx: Ctx, attach: () => void): Suggestion[] {
  const { composer = {} } = ctx.options;
  const t = ctx.locale.t.bind(ctx.locale);
  const list: Suggestion[] = [];
  if (composer.attachments?.enabled) list.push({ id: '-attach', label: t('attach'), icon: '-clip', act: attach });
  for (const tool of composer.tools ?? [])
    list.push({ id: `-tool-${tool.id}`, label: tool.label, icon: tool.icon, group: t('tools'), act: () => ctx.composer.choose({ toolId: tool.id }) });
  for (const model of composer.models ?? [])
    if (!model.disabled)
      list.push({
        id: `-model-${model.id}`,
        label: model.label,
        description: model.description,
        group: t('model'),
        act: () => ctx.composer.choose({ modelId: model.id }),
      });
  return list;
}
