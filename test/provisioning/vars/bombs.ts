/** Renders each line of cases/expressions/bombs.txt in turn and says what it took. Run in a process of its own. */
import { readFileSync } from "node:fs";
import { ProvisionError } from "../../../src/base/errors.ts";
import { evaluateCondition, renderTemplateFile, renderText } from "../../../src/provisioning/vars/render.ts";
import { contextOf, span } from "./contexts.ts";

const data = {
  s: `${"a".repeat(64)}!`,
  d: { a: 1 },
  l: [1, 2, 3],
  big: "x".repeat(200_000),
  blanks: `${" ".repeat(300_000)}x`,
  deep: JSON.parse("[".repeat(5000) + "]".repeat(5000)),
};
const templates = {
  me: "{{ me }}",
  la: ["{{ la }}"],
  lb: { a: "{{ lb.b }}", b: "{{ lb.a }}" },
  x1: "{{ x2 }}{{ x2 }}",
  x2: "{{ x3 }}{{ x3 }}",
  x3: "{{ x4 * 100 }}",
  x4: "{{ 'a' * 100000 }}",
};
const context = contextOf({ data, templates }, { searchPath: [import.meta.dirname] });

function outcome(kind: string, text: string): string {
  try {
    if (kind === "cond") evaluateCondition(text, span, context);
    else if (kind === "j2") renderTemplateFile({ text, file: "t.j2", language: "j2" }, context);
    else renderText(text, span, context);
    return "made";
  } catch (error) {
    return error instanceof ProvisionError ? "refused" : `crashed: ${String(error)}`;
  }
}

const file = process.argv[2] ?? "";
for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
  const [kind = "", text = ""] = line.split("\t");
  const before = process.cpuUsage();
  const said = outcome(kind, text);
  const { user, system } = process.cpuUsage(before);
  process.stdout.write(`${JSON.stringify({ text, said, cpuMs: Math.round((user + system) / 1000) })}\n`);
}
