/** YAML as PyYAML writes it, except that long lines are not folded. */
import { compareText } from "./compare.ts";
import { reprFloat, str } from "./text.ts";
import {
  aTypeName,
  Fault,
  Float,
  isList,
  isMapping,
  mappingEntries,
  PyObject,
  toJson,
  Undefined,
  type Value,
} from "./value.ts";

export interface YamlOptions {
  readonly indent: number;
  /** "block": everything in blocks; "leaves": collections without collections inside stand on one line. */
  readonly style: "block" | "leaves" | "flow";
  readonly sortKeys: boolean;
  readonly allowUnicode: boolean;
}

export function yamlText(value: Value, options: YamlOptions): string {
  const scalar = scalarOf(value, options, false, options.indent);
  if (scalar !== undefined) return `${scalar}\n`;
  if (isFlow(value, options)) return `${flow(value, options)}\n`;
  return `${block(value, 0, options).replace(/^\n/, "")}\n`;
}

const isLeafCollection = (value: Value): boolean => {
  const members = isList(value)
    ? value
    : isMapping(value)
      ? mappingEntries(value).map(([, member]) => member)
      : [];
  return !members.some((member) => isList(member) || isMapping(member));
};
const isFlow = (value: Value, options: YamlOptions): boolean => {
  if (options.style === "flow" || isEmpty(value)) return true;
  return options.style === "leaves" && isLeafCollection(value);
};
const isEmpty = (value: Value): boolean =>
  isList(value) ? value.length === 0 : entriesOf(value, false).length === 0;

function entriesOf(value: Value, sorted: boolean): [Value, Value][] {
  if (!isMapping(value)) throw new Fault(`${aTypeName(value)} is nothing that YAML can write`);
  const entries = [...mappingEntries(value)];
  return sorted ? entries.sort(([a], [b]) => compareText(str(a), str(b))) : entries;
}

function flow(value: Value, options: YamlOptions): string {
  const scalar = scalarOf(value, options, true);
  if (scalar !== undefined) return scalar;
  if (isList(value)) return `[${value.map((item) => flow(item, options)).join(", ")}]`;
  const members = entriesOf(value, options.sortKeys).map(
    ([key, member]) => `${flow(key, options)}: ${flow(member, options)}`,
  );
  return `{${members.join(", ")}}`;
}

/** Begins with a newline unless it is a scalar or stands on one line. */
function block(value: Value, column: number, options: YamlOptions, inMapping = false): string {
  const scalar = scalarOf(value, options, false, column);
  if (scalar !== undefined) return scalar;
  if (isFlow(value, options)) return flow(value, options);
  if (isList(value)) {
    // A list under a key stands at the key's own column.
    const at = inMapping ? Math.max(0, column - options.indent) : column;
    const inside = at + options.indent;
    return value
      .map((item) => {
        const text = block(item, inside, options);
        // A collection begins at its own column, a scalar right after the dash.
        const rest = text.startsWith("\n") ? " ".repeat(options.indent - 2) + text.slice(1 + inside) : text;
        return `\n${" ".repeat(at)}- ${rest}`;
      })
      .join("");
  }
  return entriesOf(value, options.sortKeys)
    .map(([key, member]) => {
      const text = block(member, column + options.indent, options, true);
      const name = keyText(key, options);
      return `\n${" ".repeat(column)}${name}:${text.startsWith("\n") ? "" : " "}${text}`;
    })
    .join("");
}
/** A key stands on one line. */
function keyText(key: Value, options: YamlOptions): string {
  if (typeof key === "string" && key.includes("\n")) return doubleQuoted(key, options.allowUnicode);
  return scalarOf(key, options) ?? flow(key, options);
}

function scalarOf(value: Value, options: YamlOptions, inFlow = false, column = 0): string | undefined {
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "string") return yamlString(value, { inFlow, column, unicode: options.allowUnicode });
  if (typeof value === "number" && Number.isInteger(value)) return String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number" || value instanceof Float)
    return yamlFloat(value instanceof Float ? value.value : value);
  if (value instanceof Undefined) throw value.fault();
  if (value instanceof PyObject && value.keys() === undefined) {
    const json = toJson(value);
    return typeof json === "string" ? yamlString(json, { inFlow, column, unicode: true }) : undefined;
  }
  return undefined;
}
function yamlFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? ".nan" : value > 0 ? ".inf" : "-.inf";
  const text = reprFloat(value);
  return !text.includes(".") && text.includes("e") ? text.replace("e", ".0e") : text;
}

/** Words that YAML 1.1 would read as something else than text. */
const otherMeaning =
  /^(?:~|null|Null|NULL|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF|=|<<|[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][\d_]*)|[-+]?0x[\da-fA-F_]+|[-+]?[1-9][\d_]*(?::[0-5]?\d)+|[-+]?(?:\d[\d_]*)\.[\d_]*(?:[eE][-+]\d+)?|\.[\d_]+(?:[eE][-+]\d+)?|[-+]?\d[\d_]*(?::[0-5]?\d)+\.[\d_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d.*)?$/;

export function yamlString(text: string, where: { inFlow: boolean; column: number; unicode: boolean }): string {
  const printable = where.unicode
    ? /^[\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u
    : /^[\n\x20-\x7e]*$/;
  if (!printable.test(text) || /\ufeff/.test(text) || /[ ]\n|\n[ ]/.test(text))
    return doubleQuoted(text, where.unicode);
  if (text.includes("\n") || !isPlain(text, where.inFlow)) return singleQuoted(text, where.column);
  return text;
}

function isPlain(text: string, inFlow: boolean): boolean {
  if (otherMeaning.test(text) || /^\s|\s$|\t/.test(text)) return false;
  if (/^(?:---|\.\.\.)/.test(text) || /^[#,[\]{}&*!|>'"%@`]/.test(text)) return false;
  if (/^[?:-](?:\s|$)/.test(text) || /:(?:\s|$)|\s#/.test(text)) return false;
  return !inFlow || !(/[,?[\]{}]/.test(text) || /:/.test(text));
}

/** Breaks are written once more than they count, and the text goes on at the column. */
const singleQuoted = (text: string, column: number): string => {
  const body = text.replaceAll("'", "''").replace(/\n+/g, (breaks) => `${breaks}\n${" ".repeat(column)}`);
  return `'${body}'`;
};

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
function doubleQuoted(text: string, unicode: boolean): string {
  const body = text.replace(/["\\]|[^\x20-\x7e]/gu, (char) => {
    const known = escapes[char];
    if (known !== undefined) return known;
    const code = char.codePointAt(0) ?? 0;
    if (unicode && code > 0xa0 && code !== 0xfeff) return char;
    if (code < 0x100) return `\\x${code.toString(16).toUpperCase().padStart(2, "0")}`;
    return code < 0x10000
      ? `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`
      : `\\U${code.toString(16).toUpperCase().padStart(8, "0")}`;
  });
  return `"${body}"`;
}
