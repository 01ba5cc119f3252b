/** All of lucide's icons, by their kebab-case names. */
import { icons, type IconNode } from 'lucide';

export function find(name: string): IconNode | undefined {
  const pascal = name.replace(/(^|-)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase());
  return (icons as Record<string, IconNode>)[pascal];
}
