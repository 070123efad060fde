import { relative } from "node:path";
import { ProvisionError, type Span } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import type { LayeredScope } from "../provisioning/vars/precedence.ts";
import type { Variable } from "../provisioning/vars/variable.ts";
import { extraVarsLayer } from "./extra-vars.ts";
import { pythonRepr } from "./python-text.ts";

const runNote =
  "In a run, variables of blocks and tasks, facts, set_fact, register and include_vars can still win.";

export interface ExplainFields {
  readonly host: string;
  readonly variable: string;
  readonly scope: LayeredScope;
  /** Places below it are shown relative to it. */
  readonly cwd: string;
}

/** Who sets a variable of a host: the winner first, then what it overrode, strongest first. */
export function explainVariable({ host, variable: name, scope, cwd }: ExplainFields): string {
  const [winner, ...overridden] = scope.definitions(name);
  if (winner === undefined) throw unknownVariable(host, name, scope);
  const lines = [`${name} of ${host} is ${valueText(winner)}`, `  set by    ${source(winner, cwd)}`];
  for (const other of overridden) lines.push(`  overrides ${valueText(other)}, ${source(other, cwd)}`);
  if (winner.origin.layer !== extraVarsLayer) lines.push(`  ${runNote}`);
  return lines.join("\n");
}

const source = ({ origin: { layer, span } }: Variable, cwd: string): string =>
  `${layer}${span === undefined ? "" : ` (${place(span, cwd)})`}`;

function place(span: Span, cwd: string): string {
  const near = relative(cwd, span.file);
  return `${near.startsWith("..") ? span.file : near}:${span.line}:${span.column}`;
}

const valueText = (variable: Variable): string =>
  variable.kind === "data" ? JSON.stringify(variable.value) : nodeText(variable.node);

const nodeText = (node: SourceNode): string =>
  node.kind === "scalar" && node.tag === "!vault" ? "a vault value" : pythonRepr(node);

function unknownVariable(host: string, name: string, scope: LayeredScope): ProvisionError {
  const names = new Set(scope.names());
  const near = nearest(name, names);
  return new ProvisionError({
    code: "bad-usage",
    action: `explain "${name}"`,
    state: `nothing in inventory, plays and roles sets it for host "${host}"`,
    why:
      names.size === 0
        ? "the host has no variables"
        : `set are ${[...names].sort().slice(0, 20).join(", ")}${names.size > 20 ? ", …" : ""}`,
    fix: near === undefined ? undefined : `--explain ${near}`,
  });
}
