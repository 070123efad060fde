/** A host's own facts, /etc/ansible/facts.d/NAME.fact: JSON, or INI of one level. */
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { RawFacts } from "./gather-facts.ts";

export function localFacts({ sections }: RawFacts): JsonObject {
  return Object.fromEntries(
    sections("local").map(([file, text]) => [file.replace(/\.fact$/, ""), parse(text)]),
  );
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return (
      parseIni(text) ?? `error loading facts as JSON or ini - please check content: ${text.slice(0, 200)}`
    );
  }
}

function parseIni(text: string): JsonObject | undefined {
  const groups: Record<string, Record<string, string>> = {};
  let current: Record<string, string> | undefined;
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "" || /^[#;]/.test(trimmed)) continue;
    const header = /^\[(.+)\]$/.exec(trimmed)?.[1];
    if (header !== undefined) {
      current = {};
      groups[header] = current;
      continue;
    }
    const pair = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(trimmed);
    if (!pair || !current) return undefined;
    current[(pair[1] ?? "").toLowerCase()] = pair[2] ?? "";
  }
  return groups;
}
