import { relative } from "node:path";
import { ProvisionError, type Span } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import type { VarLayer } from "../provisioning/inventory/host-layers.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import type { Variable } from "../provisioning/vars/variable.ts";
import { pythonRepr } from "./python-text.ts";

/** Who sets a variable of a host: the winner first, then what it overrode, strongest first. */
export function explainVariable(host: string, name: string, layers: readonly VarLayer[]): string {
  const setters = layers.flatMap((layer) => {
    const variable = layer.vars.get(name);
    return variable === undefined ? [] : [{ layer: layer.name, variable }];
  });
  const [winner, ...overridden] = setters.reverse();
  if (winner === undefined) throw unknownVariable(host, name, layers);
  const lines = [`${name} of ${host} is ${valueText(winner.variable)}`, `  set by    ${source(winner)}`];
  for (const other of overridden) lines.push(`  overrides ${valueText(other.variable)}, ${source(other)}`);
  lines.push("  In a run, facts, play, role and task variables, set_fact and -e still win over it.");
  return lines.join("\n");
}

const source = ({ layer, variable }: { layer: string; variable: Variable }): string =>
  `${layer}${variable.origin.span === undefined ? "" : ` (${place(variable.origin.span)})`}`;

function place(span: Span): string {
  const near = relative(process.cwd(), span.file);
  return `${near.startsWith("..") ? span.file : near}:${span.line}:${span.column}`;
}

const valueText = (variable: Variable): string =>
  variable.kind === "data" ? JSON.stringify(variable.value) : nodeText(variable.node);

const nodeText = (node: SourceNode): string =>
  node.kind === "scalar" && node.tag === "!vault" ? "a vault value" : pythonRepr(node);

function unknownVariable(host: string, name: string, layers: readonly VarLayer[]): ProvisionError {
  const names = new Set(layers.flatMap((layer) => [...layer.vars.keys()]));
  const near = nearest(name, names);
  return new ProvisionError({
    code: "bad-usage",
    action: `explain "${name}"`,
    state: `nothing in the inventory sets it for host "${host}"`,
    why:
      names.size === 0
        ? "the host has no variables there"
        : `set are ${[...names].sort().slice(0, 20).join(", ")}`,
    fix: near === undefined ? undefined : `--explain ${near}`,
  });
}
