import { nearest } from "../../base/nearest.ts";
import type { MapEntry, MapNode, SourceNode } from "../source/node.ts";
import { entryOf, keyText } from "../source/to-plain.ts";
import { hostNames } from "./host-names.ts";
import type { InventoryBuilder } from "./inventory-builder.ts";
import { inventoryError } from "./inventory-errors.ts";

const sections = ["hosts", "children", "vars"] as const;

/** Tells the builder what a YAML inventory says: groups that hold `hosts`, `children` and `vars`. */
export function parseYamlInventory(root: SourceNode, file: string, builder: InventoryBuilder): void {
  if (root.kind !== "map") {
    throw inventoryError(file, root.span, "it holds no groups", {
      why: "a YAML inventory is a map of groups, most often all:, with hosts:, children: and vars: in them",
    });
  }
  const plugin = entryOf(root, "plugin");
  if (plugin !== undefined) {
    throw inventoryError(file, plugin.span, "it configures an inventory plugin", {
      why: "inventories are INI, YAML or programs that print JSON",
    });
  }
  for (const entry of root.entries) readGroup(entry, file, builder);
}

function readGroup({ key, value }: MapEntry, file: string, builder: InventoryBuilder): void {
  const name = keyText(key);
  builder.addGroup(name, key.span);
  if (isNull(value)) return;
  if (value.kind !== "map") {
    throw inventoryError(file, value.span, `group "${name}" is a ${value.kind}`, {
      why: "a group holds hosts:, children: and vars:",
    });
  }
  for (const section of value.entries) readSection(name, section, file, builder);
}

function readSection(group: string, { key, value }: MapEntry, file: string, builder: InventoryBuilder): void {
  const section = sections.find((each) => each === keyText(key));
  if (section === undefined) {
    const near = nearest(keyText(key), sections);
    throw inventoryError(file, key.span, `group "${group}" has no section "${keyText(key)}"`, {
      why: "a group holds hosts:, children: and vars:",
      fix: near === undefined ? undefined : `write "${near}:"`,
    });
  }
  if (isNull(value)) return;
  for (const entry of sectionMap(group, section, value, file).entries) {
    if (section === "vars") builder.setGroupVar(group, keyText(entry.key), entry.value);
    else if (section === "hosts") readHost(group, entry, file, builder);
    else {
      readGroup(entry, file, builder);
      builder.addChild(group, keyText(entry.key), entry.key.span);
    }
  }
}

function sectionMap(group: string, section: string, value: SourceNode, file: string): MapNode {
  if (value.kind === "map") return value;
  if (value.kind === "scalar" && typeof value.value === "string" && section !== "vars") {
    const nothing: SourceNode = { kind: "scalar", value: null, span: value.span };
    return { kind: "map", entries: [{ key: value, value: nothing }], span: value.span };
  }
  throw inventoryError(file, value.span, `"${section}" of group "${group}" is a ${value.kind}`, {
    why: `"${section}" holds a map`,
    fix: value.kind === "list" && section !== "vars" ? 'write "name:" instead of "- name"' : undefined,
  });
}

function readHost(group: string, { key, value }: MapEntry, file: string, builder: InventoryBuilder): void {
  if (typeof key.value !== "string") {
    throw inventoryError(file, key.span, `the host ${keyText(key)} is no text`, {
      fix: `write "${keyText(key)}":`,
    });
  }
  const { names, port } = hostNames(key.value, key.span);
  if (!isNull(value) && value.kind !== "map") {
    throw inventoryError(file, value.span, `host "${key.value}" is a ${value.kind}`, {
      why: "a host holds a map of its variables, or nothing",
    });
  }
  for (const name of names) {
    builder.addHost(name, group, file, key.span);
    if (port !== undefined) {
      builder.setHostVar(name, "ansible_port", { kind: "scalar", value: port, span: key.span });
    }
    const variables = value.kind === "map" ? value.entries : [];
    for (const variable of variables) builder.setHostVar(name, keyText(variable.key), variable.value);
  }
}

const isNull = (node: SourceNode): boolean => node.kind === "scalar" && node.value === null;
