/** Plain scalars as PyYAML reads them (YAML 1.1), because that is what playbooks were written against. */
export interface PlainValue {
  readonly value: string | number | boolean | null;
  readonly float?: true;
}

const booleans: ReadonlyMap<string, boolean> = new Map(
  Object.entries({ yes: true, on: true, true: true, no: false, off: false, false: false }).flatMap(
    ([word, value]) =>
      [word, word.toUpperCase(), capital(word)].map((spelling): [string, boolean] => [spelling, value]),
  ),
);
const nulls: ReadonlySet<string> = new Set(["", "~", "null", "Null", "NULL"]);

const decimal = /^[-+]?(?:0|[1-9][0-9_]*)$/;
const octal = /^[-+]?0[0-7_]+$/;
const hexadecimal = /^[-+]?0x[0-9a-fA-F_]+$/;
const binary = /^[-+]?0b[01_]+$/;
const sexagesimal = /^[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+$/;
const float = /^[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?$/;
const pointFloat = /^\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?$/;
const sexagesimalFloat = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*$/;
const infinity = /^([-+])?\.(?:inf|Inf|INF)$/;
const notNumber = /^\.(?:nan|NaN|NAN)$/;

export function plainValue(text: string): PlainValue {
  if (nulls.has(text)) return { value: null };
  const first = text.charCodeAt(0);
  const mayBeNumber = (first >= 48 && first <= 57) || first === 43 || first === 45 || first === 46;
  if (mayBeNumber) return numberValue(text) ?? { value: text };
  const boolean = text.length <= 5 ? booleans.get(text) : undefined;
  return { value: boolean ?? text };
}

function numberValue(text: string): PlainValue | undefined {
  const digits = text.replaceAll("_", "");
  const sign = digits.startsWith("-") ? -1 : 1;
  const body = digits.replace(/^[-+]/, "");
  if (decimal.test(text)) return integer(text, sign * Number(body));
  if (octal.test(text)) return integer(text, sign * Number.parseInt(body, 8));
  if (hexadecimal.test(text)) return integer(text, sign * Number.parseInt(body.slice(2), 16));
  if (binary.test(text)) return integer(text, sign * Number.parseInt(body.slice(2), 2));
  if (sexagesimal.test(text)) return integer(text, sign * base60(body));
  if (float.test(text) || pointFloat.test(text)) return { value: Number(digits), float: true };
  if (sexagesimalFloat.test(text)) return { value: sign * base60(body), float: true };
  const infinite = infinity.exec(text);
  if (infinite !== null) return { value: sign * Number.POSITIVE_INFINITY, float: true };
  return notNumber.test(text) ? { value: Number.NaN, float: true } : undefined;
}

/** An integer that a double cannot hold stays the text that was written: nothing is rounded silently. */
const integer = (text: string, value: number): PlainValue =>
  Number.isSafeInteger(value) ? { value: value === 0 ? 0 : value } : { value: text };

const base60 = (text: string): number => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
