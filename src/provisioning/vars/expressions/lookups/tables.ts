/** The lookups ini and csvfile. */

import { parseCsv } from "../csv.ts";
import { exec, regexOf } from "../filters/regex.ts";
import type { LookupCall } from "../lookups.ts";
import { flagOf, textOf, wholeOf } from "../runtime.ts";
import { str } from "../text.ts";
import { Fault, type Value } from "../value.ts";

type ReadFile = (name: string) => string;

/** `key section=s file=f.ini default=x`, or the same as arguments. */
function settingsOf(term: Value, call: LookupCall): { key: string; settings: Map<string, Value> } {
  const settings = new Map(call.options);
  const [key = "", ...rest] = str(term).split(/\s+(?=\w+=)/);
  for (const part of rest) settings.set(part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1));
  return { key, settings };
}

export function readIni(term: Value, call: LookupCall, read: ReadFile): readonly Value[] {
  const { key, settings } = settingsOf(term, call);
  const properties = textOf(settings.get("type"), "ini") === "properties";
  const section = properties ? "" : textOf(settings.get("section"), "global");
  const sensitive = flagOf(settings.get("case_sensitive"), false);
  const fold = (text: string): string => (sensitive ? text : text.toLowerCase());
  const pattern = flagOf(settings.get("re"), false) ? regexOf(key, "y") : undefined;
  const isWanted = (name: string): boolean =>
    pattern === undefined ? fold(name) === fold(key) : exec(pattern, name) !== null;
  const matched: string[] = [];
  let current = "";
  for (const line of read(textOf(settings.get("file"), "ansible.ini")).split(/\r?\n/)) {
    const header = /^\s*\[([^\]]*)\]\s*$/.exec(line);
    if (header !== null && !properties) current = header[1] ?? "";
    const [, name, value = ""] = /^\s*([^#;=:\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined || current !== section || !isWanted(name)) continue;
    if (pattern === undefined) return [value];
    pattern.lastIndex = 0;
    matched.push(value);
  }
  if (pattern !== undefined) return matched;
  return [settings.get("default") ?? ""];
}

export function readCsv(term: Value, call: LookupCall, read: ReadFile): Value {
  const { key, settings } = settingsOf(term, call);
  const given = textOf(settings.get("delimiter"), "TAB");
  const delimiter = given === "TAB" || given === "\\t" || given === "t" ? "\t" : given;
  if (delimiter.length !== 1) throw new Fault("csvfile wants one character as its delimiter");
  const column = wholeOf(settings.get("col"), 1);
  for (const row of parseCsv(read(textOf(settings.get("file"), "ansible.csv")), delimiter))
    if (row[0] === key) {
      const value = row[column];
      if (value === undefined) throw new Fault(`the row "${key}" has no column ${column}`);
      return value;
    }
  return settings.get("default") ?? [];
}
