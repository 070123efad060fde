/** TOML as `ansible-inventory --toml` writes it. What TOML cannot hold is refused: Ansible leaves it out, or fails. */
import type { ScalarNode } from "../provisioning/source/node.ts";
import { badUsage } from "./parse-options.ts";
import {
  isScalar,
  itemsOf,
  membersOf,
  numberText,
  type PrintValue,
  pythonRepr,
  textOfKey,
} from "./python-text.ts";

type Tables = ReadonlyMap<string, PrintValue>;

/** Level by level: a table's own values, then the tables in it. */
export function pythonToml(value: PrintValue): string {
  const top = tableOf(value, "");
  let text = top.own;
  for (let tables = top.inner; tables.size > 0; ) {
    const deeper = new Map<string, PrintValue>();
    for (const [path, table] of tables) {
      const { own, inner } = tableOf(table, path);
      if (own !== "" || inner.size === 0) {
        if (text !== "" && !text.endsWith("\n\n")) text += "\n";
        text += `[${path}]\n${own}`;
      }
      for (const [key, member] of inner) deeper.set(`${path}.${key}`, member);
    }
    tables = deeper;
  }
  return text;
}

interface Table {
  /** Its values and lists, as text. */
  readonly own: string;
  /** By quoted key. */
  readonly inner: Tables;
}

function tableOf(table: PrintValue, path: string): Table {
  const inner = new Map<string, PrintValue>();
  let own = "";
  let arrays = "";
  for (const [key, member] of membersOf(table)) {
    if (typeof key !== "string" && typeof key.value !== "string")
      throw unwritable(path, `the key ${textOfKey(key)}`);
    const name = quotedKey(textOfKey(key));
    const full = path === "" ? name : `${path}.${name}`;
    const items = itemsOf(member);
    if (items?.some(isTable) === true) arrays += arrayOfTables(items, full);
    else if (isTable(member)) inner.set(name, member);
    else own += `${name} = ${valueText(member, full)}\n`;
  }
  return { own: own + arrays, inner };
}

const isTable = (value: PrintValue): boolean => !isScalar(value) && itemsOf(value) === undefined;

function arrayOfTables(items: readonly PrintValue[], path: string): string {
  let text = "";
  for (const item of items) {
    if (!isTable(item)) throw unwritable(path, "a list of maps and of other values");
    const { own, inner } = tableOf(item, path);
    text += `[[${path}]]\n${own}\n`;
    for (let tables = inner; tables.size > 0; ) {
      const deeper = new Map<string, PrintValue>();
      for (const [key, table] of tables) {
        const { own: lines, inner: further } = tableOf(table, `${path}.${key}`);
        if (lines !== "") text += `[${path}.${key}]\n${lines}`;
        for (const [name, member] of further) deeper.set(`${key}.${name}`, member);
      }
      tables = deeper;
    }
  }
  return text;
}

function valueText(value: PrintValue, path: string): string {
  const items = itemsOf(value);
  if (items !== undefined) return `[${items.map((item) => ` ${valueText(item, path)},`).join("")}]`;
  if (!isScalar(value)) throw unwritable(path, "a map in a list of lists");
  return typeof value === "object"
    ? scalarText(value, path)
    : typeof value === "string"
      ? tomlString(value)
      : String(value);
}

function scalarText({ value, float, tag }: ScalarNode, path: string): string {
  if (value === null) throw unwritable(path, "null");
  if (tag === "!vault") throw unwritable(path, "a vault value");
  if (typeof value === "string") return tomlString(value);
  if (typeof value === "boolean") return String(value);
  return numberText(value, float === true).replace(/e([+-])0/, "e$1");
}

const quotedKey = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : tomlString(key));

/** Python's repr in double quotes. */
function tomlString(text: string): string {
  const span = { file: "", line: 1, column: 1 };
  const repr = pythonRepr({ kind: "scalar", value: text, span });
  const body = repr.slice(1, -1);
  const quoted = repr.startsWith("'") ? body.replaceAll("\\'", "'").replaceAll('"', '\\"') : body;
  return `"${quoted.replace(/\\x([0-9a-f]{2})/g, "\\u00$1")}"`;
}

const unwritable = (path: string, what: string): Error =>
  badUsage(`--toml meets ${what} at ${path}`, "TOML cannot hold it", "-y");
