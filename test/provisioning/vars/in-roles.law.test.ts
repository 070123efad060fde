import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import type { JsonObject, JsonValue } from "../../../src/base/json.ts";
import { renderText } from "../../../src/provisioning/vars/render.ts";
import { contextOf, span } from "./contexts.ts";

interface Answer {
  readonly value?: JsonValue;
  readonly error?: string;
}
const folder = join(import.meta.dirname, "../../cases/expressions");
const read = (name: string): string => readFileSync(join(folder, "in-roles", name), "utf8");
const variables = JSON.parse(read("variables.json")) as JsonObject;

function ansible(templates: readonly string[]): readonly Answer[] {
  const run = spawnSync("/usr/bin/python3", [join(import.meta.dirname, "ansible-oracle.py")], {
    input: JSON.stringify({ templates, variables, folder, native: true }),
    encoding: "utf8",
    cwd: folder,
    env: { ...process.env, ANSIBLE_DEPRECATION_WARNINGS: "0", TZ: "UTC" },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout.slice(run.stdout.indexOf("[{"))) as readonly Answer[];
}

function ours(text: string): Answer {
  try {
    const context = contextOf(
      { data: structuredClone(variables) },
      { searchPath: [folder], env: process.env },
    );
    return { value: renderText(text, span, context) };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return { error: error.message };
  }
}

/** Of one expression alone we keep the type; Ansible makes text of everything but lists, mappings and truth values. */
function isSame(theirs: JsonValue, own: JsonValue): boolean {
  if (JSON.stringify(theirs) === JSON.stringify(own)) return true;
  if (typeof theirs !== "string" || typeof own === "object" || typeof own === "string")
    return theirs === "" && own === null;
  return typeof own === "boolean"
    ? theirs === (own ? "True" : "False")
    : theirs === String(own) || (Number(theirs) === own && /\.0$|e/.test(theirs));
}

describe("expressions as roles have them give what Ansible gives", () => {
  test.each(["filters", "text", "language", "network", "lookups", "mixed"])("%s", (topic) => {
    const templates = read(`${topic}.txt`).trimEnd().split("\n");
    const theirs = ansible(templates);
    const different = templates.flatMap((template, index) => {
      const [wanted, own] = [theirs[index] ?? {}, ours(template)];
      const agrees =
        wanted.error === undefined
          ? own.error === undefined && isSame(wanted.value ?? null, own.value ?? null)
          : own.error !== undefined;
      return agrees
        ? []
        : [`${template}\n  Ansible: ${JSON.stringify(wanted)}\n  ours:    ${JSON.stringify(own)}`];
    });
    expect(different).toEqual([]);
  });
});

/** Where we differ on purpose: what we give, and why. Ansible's own answer is another. */
const meant: readonly (readonly [template: string, value: JsonValue | "an error", why: string])[] = [
  ["{{ '[1, 2]' }}", "[1, 2]", "text that looks like a list stays text"],
  ["[{{ 1 }}, {{ 2 }}]", "[1, 2]", "text that looks like a list stays text"],
  ["{{ 'True' }}", "True", "an expression alone keeps its type"],
  ["{{ (1, 2) }}", [1, 2], "an expression alone keeps its type"],
  ["{{ '%s' % masters }}", "['m1', 'm2', 'm3']", "text that looks like a list stays text"],
  ["{{ '[1, NaN]' | from_json }}", "an error", "JSON has no NaN"],
  ["{{ '!!!' | b64decode }}", "an error", "what is no base64 is a mistake"],
  ["{{ masters.append('m4') }}{{ masters }}", "an error", "a variable is nobody's to change"],
  ["{{ app.env.update({'Z': 9}) }}", "an error", "a variable is nobody's to change"],
  ["{{ 'foo=bar=baz' | regex_replace('=', ':', count=1) }}", "foo:bar=baz", "as in newer Ansible"],
  ["{{ app | attr('name') }}", "web", "members are data"],
  ["{{ query('sequence', start=1, end=3) }}", ["1", "2", "3"], "named arguments count"],
  ["{{ '{{' }} {{ '}}' }}", "{{ }}", "Ansible fails"],
];

test("where we differ on purpose, Ansible still does otherwise", () => {
  const theirs = ansible(meant.map(([template]) => template));
  const wrong = meant.filter(([template, value], index) => {
    const [own, other] = [ours(template), theirs[index] ?? {}];
    const asMeant =
      value === "an error" ? own.error !== undefined : JSON.stringify(own.value) === JSON.stringify(value);
    const isOther =
      value === "an error" || other.error !== undefined
        ? (own.error === undefined) !== (other.error === undefined)
        : !isSame(other.value ?? null, own.value ?? null);
    return !asMeant || !isOther;
  });
  expect(wrong).toEqual([]);
});
