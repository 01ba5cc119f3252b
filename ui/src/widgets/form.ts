/** The values of a form's controls, as an action's payload carries them (widgets.md section 5.1). */

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

/** By the controls' names; dots make nested objects. */
export function valuesOf(form: Element): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const control of form.querySelectorAll<Control>('[data-field]')) {
    // A control belongs to its nearest form.
    if (control.closest('form') !== form.closest('form') || control.disabled) continue;
    const value = valueOf(control);
    if (value !== undefined) put(out, control.dataset['field']!, value);
  }
  return out;
}

/** The value of one control; undefined for a radio button that is not chosen. */
export function valueOf(control: Control): unknown {
  if (control instanceof HTMLInputElement) {
    if (control.type === 'checkbox') return control.checked;
    if (control.type === 'radio') return control.checked ? control.value : undefined;
    if (control.type === 'number') return control.value === '' ? '' : Number(control.value);
  }
  return control.value;
}

export function put(target: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  if (keys.some((key) => key === '__proto__' || key === 'constructor' || key === 'prototype')) return;
  let at = target;
  for (const key of keys.slice(0, -1)) {
    const next = at[key];
    at = (typeof next === 'object' && next !== null ? next : (at[key] = {})) as Record<string, unknown>;
  }
  at[keys.at(-1)!] = value;
}

/** `values` under the action's own payload, which wins; says which keys were in both. */
export function merge(payload: unknown, values: Record<string, unknown>): { payload: unknown; collisions: string[] } {
  const keys = Object.keys(values);
  if (!keys.length) return { payload, collisions: [] };
  if (payload === undefined || payload === null) return { payload: values, collisions: [] };
  if (typeof payload !== 'object' || Array.isArray(payload)) return { payload, collisions: keys };
  const own = payload as Record<string, unknown>;
  const merged = { ...own };
  const collisions: string[] = [];
  for (const key of keys) {
    const [mine, theirs] = [own[key], values[key]];
    if (!Object.hasOwn(own, key)) merged[key] = theirs;
    else if (isPlain(mine) && isPlain(theirs)) {
      const inner = merge(mine, theirs);
      merged[key] = inner.payload;
      collisions.push(...inner.collisions.map((each) => `${key}.${each}`));
    } else collisions.push(key);
  }
  return { payload: merged, collisions };
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
