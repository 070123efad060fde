/** Amounts of one resource: scalars in thousandths, ranges of whole numbers, sets of words. Values never change. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

export type Quantity =
  | { readonly kind: "scalar"; readonly milli: number }
  | { readonly kind: "ranges"; readonly ranges: readonly Range[] }
  | { readonly kind: "set"; readonly items: readonly string[] };

export const scalar = (value: number): Quantity => ({ kind: "scalar", milli: toMilli(value) });
export const ranges = (list: readonly Range[]): Quantity => ({ kind: "ranges", ranges: coalesce(list) });
export const set = (items: Iterable<string>): Quantity => ({
  kind: "set",
  items: [...new Set(items)].sort(),
});

/** Mesos counts scalars in thousandths, so that 0.1 + 0.2 is 0.3. */
const toMilli = (value: number): number => Math.round(value * 1000);

export const isNothing = (quantity: Quantity): boolean =>
  quantity.kind === "scalar"
    ? quantity.milli === 0
    : quantity.kind === "ranges"
      ? quantity.ranges.length === 0
      : quantity.items.length === 0;

export class KindMismatch extends Error {
  override readonly name = "KindMismatch";
  constructor(left: Quantity, right: Quantity) {
    super(`a ${left.kind} and a ${right.kind} cannot be combined`);
  }
}

export function plus(left: Quantity, right: Quantity): Quantity {
  if (left.kind === "scalar" && right.kind === "scalar")
    return { kind: "scalar", milli: left.milli + right.milli };
  if (left.kind === "ranges" && right.kind === "ranges") return ranges([...left.ranges, ...right.ranges]);
  if (left.kind === "set" && right.kind === "set") return set([...left.items, ...right.items]);
  throw new KindMismatch(left, right);
}

/** What is left of `left`; nothing goes below zero. */
export function minus(left: Quantity, right: Quantity): Quantity {
  if (left.kind === "scalar" && right.kind === "scalar")
    return { kind: "scalar", milli: Math.max(0, left.milli - right.milli) };
  if (left.kind === "ranges" && right.kind === "ranges")
    return { kind: "ranges", ranges: right.ranges.reduce(cutOut, left.ranges) };
  if (left.kind === "set" && right.kind === "set")
    return { kind: "set", items: left.items.filter((item) => !right.items.includes(item)) };
  throw new KindMismatch(left, right);
}

export function includes(whole: Quantity, part: Quantity): boolean {
  if (whole.kind === "scalar" && part.kind === "scalar") return part.milli <= whole.milli;
  if (whole.kind === "ranges" && part.kind === "ranges")
    return part.ranges.every(({ begin, end }) =>
      whole.ranges.some((outer) => outer.begin <= begin && end <= outer.end),
    );
  if (whole.kind === "set" && part.kind === "set")
    return part.items.every((item) => whole.items.includes(item));
  return false;
}

/** Sorted, and joined where they touch. */
function coalesce(list: readonly Range[]): readonly Range[] {
  if (list.length < 2) return list;
  const joined: Range[] = [];
  for (const range of [...list].sort((a, b) => a.begin - b.begin)) {
    const last = joined.at(-1);
    if (last !== undefined && range.begin <= last.end + 1)
      joined[joined.length - 1] = { begin: last.begin, end: Math.max(last.end, range.end) };
    else joined.push(range);
  }
  return joined;
}

function cutOut(list: readonly Range[], hole: Range): readonly Range[] {
  return list.flatMap((range) => {
    if (hole.end < range.begin || range.end < hole.begin) return [range];
    const rest: Range[] = [];
    if (range.begin < hole.begin) rest.push({ begin: range.begin, end: hole.begin - 1 });
    if (hole.end < range.end) rest.push({ begin: hole.end + 1, end: range.end });
    return rest;
  });
}

/** `4`, `0.125`, `[31000-32000,33000-33000]`, `{a,b}`. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.kind === "scalar") return String(quantity.milli / 1000);
  if (quantity.kind === "set") return `{${quantity.items.join(",")}}`;
  return `[${quantity.ranges.map(({ begin, end }) => `${begin}-${end}`).join(",")}]`;
}

/** Reads what `formatQuantity` writes. Undefined when the text is no number, range list or set. */
export function parseQuantity(text: string): Quantity | undefined {
  const trimmed = text.trim();
  if (/^\{.*\}$/s.test(trimmed)) return set(words(trimmed));
  if (/^\[.*\]$/s.test(trimmed)) return parseRanges(words(trimmed));
  return /^\d+(\.\d+)?$|^\.\d+$/.test(trimmed) ? scalar(Number(trimmed)) : undefined;
}

const words = (bracketed: string): string[] =>
  bracketed
    .slice(1, -1)
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

function parseRanges(list: readonly string[]): Quantity | undefined {
  const found: Range[] = [];
  for (const word of list) {
    const [, begin, end] = /^(\d+)\s*-\s*(\d+)$/.exec(word) ?? [];
    if (begin === undefined || Number(begin) > Number(end)) return undefined;
    found.push({ begin: Number(begin), end: Number(end) });
  }
  return ranges(found);
}
