import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { renderTemplateFile } from "../../../src/provisioning/vars/render.ts";
import fc from "../../support/property.ts";
import { contextOf } from "./contexts.ts";
import { expression, template, variables } from "./random-jinja.ts";

interface Answer {
  readonly text?: string;
  readonly error?: string;
  readonly code?: string;
}

function oracle(templates: readonly string[]): readonly Answer[] {
  const script = join(import.meta.dirname, "jinja-oracle.py");
  const run = spawnSync("/usr/bin/python3", [script], {
    input: JSON.stringify({ templates, variables }),
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout) as readonly Answer[];
}

function ours(text: string): Answer {
  try {
    const context = contextOf({ data: variables });
    return { text: renderTemplateFile({ text, file: "t.j2", language: "j2" }, context) };
  } catch (error) {
    if (!(error instanceof ProvisionError)) throw error;
    return { error: error.message, code: error.code };
  }
}

/** Where we differ on purpose. */
function isMeant(template: string, python: Answer, own: Answer): boolean {
  // Text filters take what is no text, unique and "in" take what is no key; in Python they fail.
  const lenient = [
    /for \+=: '\w+' and 'str'/,
    /has no attribute 'splitlines'/,
    /has no len\(\)/,
    /can only concatenate tuple/,
    /unhashable type/,
    // Ours takes the blank of an "if" without "else" for empty text, also in filters, and slices constants late.
    /the inline if-expression/,
    /has no element slice/,
    // Keys of JSON are text before they are put in order.
    /'<' not supported between instances of 'int' and 'str'/,
    /not JSON serializable/,
  ];
  if (lenient.some((pattern) => pattern.test(python.error ?? ""))) return true;
  // truncate measures a list by its items and cuts it as text.
  if (/truncate/.test(template)) return true;
  // A list with an undefined item does not print "Undefined", and escaped text is text like any other.
  if (/Undefined|Markup\(/i.test(python.text ?? "")) return true;
  // A list in text is refused where letters would be taken for items.
  if (/the text looks like/.test(own.error ?? "")) return true;
  // A slice of what has none is an error at once, also where Jinja only notes it as undefined.
  if (/cannot be sliced/.test(own.error ?? "")) return true;
  // "is none", "is string" … of what is undefined, and an attribute that no item has, are errors.
  const isUndefined = own.code === "undefined-variable" && python.error === undefined;
  return isUndefined && / is | in |\{'a'|attribute=|attr\(|groupby|select| % |\| items/.test(template);
}

/** A file ends with as many newlines as its template, as Ansible sees to. */
function asFile(text: string, template: string): string {
  const ends = (one: string): number => /\n*$/.exec(one)?.[0].length ?? 0;
  return text + "\n".repeat(Math.max(0, ends(template) - ends(text)));
}

function differences(templates: readonly string[]): string[] {
  const wanted = oracle(templates);
  return templates.flatMap((template, index) => {
    const [python, own] = [wanted[index] ?? {}, ours(template)];
    if (isMeant(template, python, own)) return [];
    const same =
      python.error === undefined ? own.text === asFile(python.text ?? "", template) : own.error !== undefined;
    return same ? [] : [`${template}\n  jinja: ${JSON.stringify(python)}\n  ours:  ${JSON.stringify(own)}`];
  });
}

/** Printing an iterator or a method shows an address in Python; ours shows the list, or an error. */
const hasNoAddress = (template: string): boolean => !/\| (?:reverse|items)(?! \| list)/.test(template);

const seed = Number(process.env.PROVISION_TEST_SEED ?? 20261121);
const runs = process.env.PROVISION_TEST_LONG === "1" ? 40_000 : 4_000;

describe("Python's jinja2 and ours", () => {
  test("agree on random expressions", () => {
    const samples = fc.sample(expression, { numRuns: runs, seed }).filter(hasNoAddress);
    expect(differences(samples.map((text) => `{{ ${text} }}`)).slice(0, 20)).toEqual([]);
  });

  test("agree on random templates", () => {
    const samples = fc.sample(template, { numRuns: runs, seed }).filter(hasNoAddress);
    expect(differences(samples).slice(0, 20)).toEqual([]);
  });
});
