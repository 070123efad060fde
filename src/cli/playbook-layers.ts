/** What plays and roles say of variables, for --explain: only what stands in files, nothing that a run decides. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { VarLayer } from "../provisioning/inventory/host-layers.ts";
import type { Inventory } from "../provisioning/inventory/inventory.ts";
import { matchPattern } from "../provisioning/inventory/match-pattern.ts";
import { readVarsFile } from "../provisioning/inventory/vars-files.ts";
import type { Play, Playbook, RoleInvocation } from "../provisioning/playbook/model.ts";
import type { DecryptText } from "../provisioning/source/decrypt.ts";
import type { MapNode, SourceNode } from "../provisioning/source/node.ts";
import { keyText } from "../provisioning/source/to-plain.ts";
import type { Variable } from "../provisioning/vars/variable.ts";

export interface PlaybookLayers {
  /** Weaker than the inventory: defaults of roles. */
  readonly below: readonly VarLayer[];
  /** Stronger than the inventory, weakest first. */
  readonly above: readonly VarLayer[];
}

export interface PlaybookLayersRequest {
  readonly playbook: Playbook;
  readonly inventory: Inventory;
  readonly host: string;
  readonly decrypt?: DecryptText | undefined;
}

/** Of the plays that the host is in. Those whose `hosts` hang on variables are passed over. */
export function playbookLayers(request: PlaybookLayersRequest): PlaybookLayers {
  const plays = request.playbook.plays.filter((play) => isIn(play, request));
  const roles = plays.flatMap((play) => play.roles.map((invocation) => ({ play, invocation })));
  return {
    below: roles.map(({ invocation }) =>
      layer(`defaults of role ${invocation.role.name}`, invocation.role.defaults),
    ),
    above: [
      ...plays.map((play) => layer(`vars of play "${play.name}"`, play.vars)),
      ...plays.flatMap((play) => play.varsFiles.flatMap((node) => varsFile(play, node, request.decrypt))),
      ...roles.map(({ invocation }) => layer(`vars of role ${invocation.role.name}`, invocation.role.vars)),
      ...roles.flatMap(({ play, invocation }) => parameters(play, invocation)),
    ],
  };
}

function isIn(play: Play, { inventory, host }: PlaybookLayersRequest): boolean {
  const patterns = play.hosts.kind === "list" ? play.hosts.items : [play.hosts];
  const texts = patterns.map((node) => (node.kind === "scalar" ? String(node.value) : ""));
  if (texts.some((text) => text.includes("{{"))) return false;
  return matchPattern(texts, inventory, {
    span: play.hosts.span,
    action: `explain play "${play.name}"`,
  }).includes(host);
}

function parameters(play: Play, { role, params, vars }: RoleInvocation): VarLayer[] {
  const where = `role ${role.name} in play "${play.name}"`;
  return [layer(`vars of ${where}`, vars), layer(`parameters of ${where}`, params)];
}

/** Names with variables in them are known in a run only. */
function varsFile(play: Play, node: SourceNode, decrypt: DecryptText | undefined): VarLayer[] {
  const candidates = node.kind === "list" ? node.items : [node];
  const paths = candidates.flatMap((each) =>
    each.kind === "scalar" ? [resolve(play.baseDir, String(each.value))] : [],
  );
  const path = paths.find((each) => existsSync(each));
  if (path === undefined) return [];
  const name = `vars_files of play "${play.name}"`;
  const vars = [...readVarsFile(path, decrypt).vars].map(([key, value]): [string, Variable] => [
    key,
    variable(name, value),
  ]);
  return [{ name, vars: new Map(vars) }];
}

const variable = (layerName: string, node: SourceNode): Variable => ({
  kind: "template",
  node,
  origin: { layer: layerName, span: node.span },
});

const layer = (name: string, map: MapNode | undefined): VarLayer => ({
  name,
  vars: new Map((map?.entries ?? []).map(({ key, value }) => [keyText(key), variable(name, value)])),
});
