/** What plays and roles say of variables, for --explain: only what stands in files, nothing that a run decides. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import type { Inventory } from "../provisioning/inventory/inventory.ts";
import { matchPattern } from "../provisioning/inventory/match-pattern.ts";
import { readVarsFile } from "../provisioning/inventory/vars-files.ts";
import type { Play, Playbook } from "../provisioning/playbook/model.ts";
import type { DecryptText } from "../provisioning/source/decrypt.ts";
import type { SourceNode } from "../provisioning/source/node.ts";
import { type Layer, layerOf, type ScopeParts } from "../provisioning/vars/precedence.ts";
import type { Variable } from "../provisioning/vars/variable.ts";

export interface PlaybookLayersRequest {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly host: string;
  readonly decrypt?: DecryptText | undefined;
}

/** Of the plays that the host is in, the last first. Those whose `hosts` hang on variables are passed over. */
export function playbookLayers(request: PlaybookLayersRequest): ScopeParts {
  const plays = request.playbook.plays.filter((play) => isIn(play, request)).toReversed();
  const roles = plays.flatMap((play) =>
    play.roles.toReversed().map((invocation) => ({
      ...invocation,
      where: `role ${invocation.role.name} in play "${play.name}"`,
    })),
  );
  return {
    roleParams: roles.map(({ params, where }) => layerOf(params, `parameters of ${where}`)),
    roleVars: roles.flatMap(({ role, vars, where }) => [
      layerOf(role.vars, `vars of role ${role.name}`),
      layerOf(vars, `vars of ${where}`),
    ]),
    varsFiles: plays.flatMap((play) =>
      play.varsFiles.flatMap((node) => varsFile(play, node, request.decrypt)).toReversed(),
    ),
    playVars: plays.map((play) => layerOf(play.vars, `vars of play "${play.name}"`)),
    roleDefaults: roles.map(({ role }) => layerOf(role.defaults, `defaults of role ${role.name}`)),
  };
}

function isIn(play: Play, { inventory, host }: PlaybookLayersRequest): boolean {
  const patterns = play.hosts.kind === "list" ? play.hosts.items : [play.hosts];
  const texts = patterns.map((node) => (node.kind === "scalar" ? String(node.value) : ""));
  if (texts.some((text) => text.includes("{{"))) return false;
  try {
    const place = { span: play.hosts.span, action: `explain play "${play.name}"` };
    return matchPattern(texts, inventory, place).includes(host);
  } catch (error) {
    // A play of hosts that this inventory does not have is none of this host's.
    if (error instanceof ProvisionError && error.code === "no-hosts") return false;
    throw error;
  }
}

/** Names with variables in them are known in a run only. */
function varsFile(play: Play, node: SourceNode, decrypt: DecryptText | undefined): readonly Layer[] {
  const names = (node.kind === "list" ? node.items : [node]).flatMap((each) =>
    each.kind === "scalar" ? [String(each.value)] : [],
  );
  const paths = names.flatMap((name) => [join(play.baseDir, "vars", name), resolve(play.baseDir, name)]);
  const path = paths.find((each) => existsSync(each));
  if (path === undefined) return [];
  const layer = `vars_files of play "${play.name}"`;
  const variables = [...readVarsFile(path, decrypt).vars].map(([name, value]): [string, Variable] => [
    name,
    { kind: "template", node: value, origin: { layer, span: value.span } },
  ]);
  return [new Map(variables)];
}
