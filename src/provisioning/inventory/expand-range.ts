import { limits } from "./limits.ts";

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

export type Expansion = { readonly names: readonly string[] } | { readonly problem: string };

/** `db[01:10:3]-[a:c]` → every name, the leftmost range slowest. */
export function expandRange(pattern: string): Expansion {
  let names: readonly string[] = [""];
  let rest = pattern;
  while (rest !== "") {
    const open = rest.indexOf("[");
    const head = open < 0 ? rest : rest.slice(0, open);
    names = names.map((name) => name + head);
    if (open < 0) break;
    const close = rest.indexOf("]", open);
    if (close < 0) return { problem: 'a range begins with "[" and has no "]"' };
    const values = rangeValues(rest.slice(open + 1, close));
    if ("problem" in values) return values;
    if (names.length * values.names.length > limits.hosts) {
      return { problem: `the range makes more than ${limits.hosts} hosts` };
    }
    names = names.flatMap((name) => values.names.map((value) => name + value));
    rest = rest.slice(close + 1);
  }
  return { names };
}

function rangeValues(text: string): Expansion {
  const [begin = "", end = "", step = "1", ...more] = text.split(":");
  if (more.length > 0 || !text.includes(":"))
    return { problem: `"[${text}]" is no begin:end or begin:end:step` };
  if (end === "") return { problem: `"[${text}]" has no end` };
  if (!/^\d+$/.test(step) || Number(step) < 1) return { problem: `the step "${step}" is no number above 0` };
  const from = begin === "" ? "0" : begin;
  if (/^\d+$/.test(from) && /^\d+$/.test(end)) return numbers(from, end, Number(step));
  const first = from.length === 1 ? letters.indexOf(from) : -1;
  const last = end.length === 1 ? letters.indexOf(end) : -1;
  if (first < 0 || last < 0) return { problem: `"[${text}]" goes from "${from}" to "${end}"` };
  if (first > last) return { problem: `"${from}" stands after "${end}" (a to z, then A to Z)` };
  return { names: [...letters.slice(first, last + 1)].filter((_, index) => index % Number(step) === 0) };
}

function numbers(from: string, end: string, step: number): Expansion {
  const isPadded = from.startsWith("0") && from.length > 1;
  if (isPadded && from.length !== end.length) {
    return { problem: `"${from}" is padded to ${from.length} digits and "${end}" is not` };
  }
  const [first, last] = [Number(from), Number(end)];
  if (first > last) return { problem: `${from} is greater than ${end}` };
  const count = Math.floor((last - first) / step) + 1;
  if (count > limits.hosts) return { problem: `the range makes more than ${limits.hosts} hosts` };
  const width = isPadded ? from.length : 0;
  return {
    names: Array.from({ length: count }, (_, index) => String(first + index * step).padStart(width, "0")),
  };
}
