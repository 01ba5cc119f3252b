/** Where a popup goes: on the side it should, or where there is room. Pure. */

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}
export type Side = 'top' | 'bottom' | 'left' | 'right';
export type Align = 'start' | 'center' | 'end';

/** Between the popup and what it belongs to, and between it and the edge of the room. */
const GAP = 4;
const EDGE = 8;

const ORDERS: Record<Side, Side[]> = {
  bottom: ['bottom', 'top', 'right', 'left'],
  top: ['top', 'bottom', 'right', 'left'],
  left: ['left', 'right', 'bottom', 'top'],
  right: ['right', 'left', 'bottom', 'top'],
};

interface Wanted {
  side: Side;
  align: Align;
  rtl: boolean;
}

/** The upper left corner. Beside the anchor, `start` is its top; above and below, where its line begins. */
export function place(
  anchor: Box,
  size: { width: number; height: number },
  room: Box,
  { side, align, rtl }: Wanted,
): { left: number; top: number; side: Side } {
  const free = {
    top: anchor.top - room.top,
    bottom: room.bottom - anchor.bottom,
    left: anchor.left - room.left,
    right: room.right - anchor.right,
  };
  const needed = (each: Side): number => (isBeside(each) ? size.width : size.height) + GAP + EDGE;
  const found = ORDERS[side].find((each) => free[each] >= needed(each)) ?? (free.top > free.bottom ? 'top' : 'bottom');
  const { width, height } = size;
  const aligned = (from: number, to: number, length: number, way: Align): number =>
    ({ start: from, center: (from + to - length) / 2, end: to - length })[way];
  const flipped = { start: 'end', center: 'center', end: 'start' } as const;
  const left = isBeside(found)
    ? found === 'left' ? anchor.left - GAP - width : anchor.right + GAP
    : aligned(anchor.left, anchor.right, width, rtl ? flipped[align] : align);
  const top = isBeside(found)
    ? aligned(anchor.top, anchor.bottom, height, align)
    : found === 'top' ? anchor.top - GAP - height : anchor.bottom + GAP;
  const inside = (at: number, from: number, to: number, length: number): number =>
    Math.max(from + EDGE, Math.min(at, to - EDGE - length));
  return { left: inside(left, room.left, room.right, width), top: inside(top, room.top, room.bottom, height), side: found };
}

function isBeside(side: Side): boolean {
  return side === 'left' || side === 'right';
}
