/** A host's own facts, /etc/ansible/facts.d/NAME.fact: JSON, or INI as Python's configparser reads it. */
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { RawFacts } from "./gather-facts.ts";

export function localFacts({ sections }: RawFacts): JsonObject {
  const failed = new Map(sections("factcode").map(([file, code]) => [file, code.trim()]));
  return Object.fromEntries(
    sections("local").map(([file, text]) => {
      const code = failed.get(file);
      const value =
        code === undefined ? parse(text, file) : `Failure executing fact script (${file}), rc: ${code}`;
      return [file.replace(/\.fact$/, ""), value];
    }),
  );
}

function parse(text: string, file: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return parseIni(text) ?? `error loading facts as JSON or ini - please check content: ${file}`;
  }
}

type Section = Map<string, string>;

/** [DEFAULT] counts in every section, %(name)s is another value of the section, deeper lines go on with the last. */
function parseIni(text: string): JsonObject | undefined {
  const sections = readSections(text);
  if (sections === undefined) return undefined;
  const defaults = sections.get("DEFAULT") ?? new Map();
  sections.delete("DEFAULT");
  return Object.fromEntries(
    [...sections].map(([name, own]) => {
      const all: Section = new Map([...defaults, ...own]);
      return [name, Object.fromEntries([...all].map(([key, value]) => [key, filledIn(value, all)]))];
    }),
  );
}

function readSections(text: string): Map<string, Section> | undefined {
  const sections = new Map<string, Section>();
  let current: Section | undefined;
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.trim();
    if (trimmed === "" || /^[#;]/.test(trimmed)) continue;
    const header = /^\[(.+)\]$/.exec(trimmed)?.[1];
    const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(trimmed);
    if (/^\s/.test(line) && current !== undefined && key !== undefined) {
      current.set(key, `${current.get(key)}\n${trimmed}`);
    } else if (header !== undefined) {
      current = sections.get(header) ?? new Map();
      sections.set(header, current);
      key = undefined;
    } else if (pair !== null && current !== undefined) {
      key = (pair[1] ?? "").toLowerCase();
      current.set(key, pair[2] ?? "");
    } else return undefined;
  }
  return sections;
}

/** Values within values, as deep as configparser follows them. */
const fillDepth = 10;
function filledIn(value: string, all: Section, depth = 0): string {
  if (depth >= fillDepth) return value;
  return value.replace(/%%|%\(([^)]+)\)s/g, (whole, name: string | undefined) => {
    if (name === undefined) return "%";
    const other = all.get(name.toLowerCase());
    return other === undefined ? whole : filledIn(other, all, depth + 1);
  });
}
