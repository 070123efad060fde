/** Which quotes a text needs in YAML as PyYAML writes it, and how its characters are escaped. */

/** Words that YAML 1.1 would read as something else than text. */
const otherMeaning =
  /^(?:~|null|Null|NULL|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|=|<<|[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][\d_]*)|[-+]?0x[\da-fA-F_]+|[-+]?[1-9][\d_]*(?::[0-5]?\d)+|[-+]?(?:\d[\d_]*)\.[\d_]*(?:[eE][-+]\d+)?|\.[\d_]+(?:[eE][-+]\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d.*)?$/;

export interface ScalarPlace {
  readonly inFlow: boolean;
  readonly isKey: boolean;
  readonly unicode: boolean;
}
export type ScalarStyle = "plain" | "single" | "double";

export function styleOf(text: string, where: ScalarPlace): ScalarStyle {
  const printable = where.unicode ? /^[\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd]*$/u : /^[\n\x20-\x7e]*$/;
  if (!printable.test(text) || /\ufeff/.test(text) || /[ ]\n|\n[ ]/.test(text)) return "double";
  if (text.includes("\n")) return where.isKey ? "double" : "single";
  return isPlain(text, where.inFlow) ? "plain" : "single";
}

function isPlain(text: string, inFlow: boolean): boolean {
  if (otherMeaning.test(text) || /^\s|\s$|\t/.test(text)) return false;
  if (/^(?:---|\.\.\.)/.test(text) || /^[#,[\]{}&*!|>'"%@`]/.test(text)) return false;
  if (/^[?:-](?:\s|$)/.test(text) || /:(?:\s|$)|\s#/.test(text)) return false;
  return !inFlow || !(/[,?[\]{}]/.test(text) || /:/.test(text));
}

const escapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\x85": "\\N",
  "\xa0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};
/** A character of double-quoted text; undefined: it stands for itself. */
export function escaped(char: string, unicode: boolean): string | undefined {
  if (/^[ -~]$/.test(char) && char !== '"' && char !== "\\") return undefined;
  const known = escapes[char];
  if (known !== undefined) return known;
  const code = char.codePointAt(0) ?? 0;
  if (unicode && code > 0xa0 && code < 0x10000 && code !== 0xfeff) return undefined;
  const hex = (digits: number): string => code.toString(16).toUpperCase().padStart(digits, "0");
  return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
