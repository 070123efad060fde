/** Real YAML of the case folders, cut, doubled and sown with characters. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "./property.ts";

const cases = join(import.meta.dirname, "../cases");
const seeds = readdirSync(cases, { recursive: true, encoding: "utf8" })
  .filter((name) => /\/(?:inventory|playbook)?.*\.ya?ml$/.test(`/${name}`))
  .map((name) => readFileSync(join(cases, name), "utf8"));
const insertions = [
  "{{ ",
  "}",
  "[",
  "- ",
  ": ",
  "\t",
  "&a ",
  "*a",
  "!x ",
  "'",
  '"',
  "|\n",
  "\n",
  "---\n",
  "? ",
  "<<: ",
  "\u0000",
  "é",
  "#",
  "%",
];

export const mutatedYaml = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(
      fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom("cut", "double", ...insertions)),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  )
  .map(([text, edits]) => edits.reduce(mutate, text));

function mutate(text: string, [where, edit]: readonly [number, string]): string {
  const at = Math.floor(where * text.length);
  const end = Math.min(text.length, at + 1 + Math.floor(where * 20));
  if (edit === "cut") return text.slice(0, at) + text.slice(end);
  if (edit === "double") return text.slice(0, end) + text.slice(at);
  return text.slice(0, at) + edit + text.slice(at);
}
