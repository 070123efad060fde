import { ErrorCollector } from "../../base/errors.ts";
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
      fix:
        root.kind === "list"
          ? `a playbook stands behind the inventory: provision INVENTORY ${file.split("/").at(-1)}`
          : "begin with all:",
    });
  }
  const plugin = entryOf(root, "plugin");
  if (plugin !== undefined) {
    throw inventoryError(file, plugin.span, "it configures an inventory plugin", {
      why: "inventories are INI, YAML or programs that print JSON",
    });
  }
  const reading = { file, builder, errors: new ErrorCollector() };
  for (const entry of root.entries) reading.errors.attempt(() => readGroup(entry, reading));
  reading.errors.throwIfAny();
}

interface Reading {
  readonly file: string;
  readonly builder: InventoryBuilder;
  readonly errors: ErrorCollector;
}

function readGroup({ key, value }: MapEntry, reading: Reading): void {
  const { file, builder, errors } = reading;
  const name = keyText(key);
  if (typeof key.value !== "string") {
    throw inventoryError(file, key.span, `the group ${name} is no text`, { fix: `write "${name}":` });
  }
  builder.addGroup(name, key.span);
  if (isNull(value)) return;
  if (value.kind !== "map") {
    throw inventoryError(file, value.span, `group "${name}" is a ${value.kind}`, {
      why: "a group holds hosts:, children: and vars:",
    });
  }
  for (const section of value.entries) errors.attempt(() => readSection(name, section, reading));
}

function readSection(group: string, { key, value }: MapEntry, reading: Reading): void {
  const { file, errors } = reading;
  const section = sections.find((each) => each === keyText(key));
  if (section === undefined) {
    const near = nearest(keyText(key), sections);
    throw inventoryError(file, key.span, `group "${group}" has no section "${keyText(key)}"`, {
      why: "a group holds hosts:, children: and vars:",
      fix: near === undefined ? `if it is a host: indent it below "hosts:"` : `write "${near}:"`,
    });
  }
  if (isNull(value)) return;
  for (const entry of sectionMap(group, section, value, file).entries) {
    errors.attempt(() => readEntry(group, section, entry, reading));
  }
}

function readEntry(
  group: string,
  section: (typeof sections)[number],
  entry: MapEntry,
  reading: Reading,
): void {
  const name = keyText(entry.key);
  if (section === "vars") reading.builder.setGroupVar(group, name, entry.value);
  else if (section === "hosts") readHost(group, entry, reading);
  else {
    readGroup(entry, reading);
    reading.builder.addChild(group, name, entry.key.span);
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

function readHost(group: string, { key, value }: MapEntry, { file, builder }: Reading): void {
  if (typeof key.value !== "string") {
    throw inventoryError(file, key.span, `the host ${keyText(key)} is no text`, {
      fix: `write "${keyText(key)}":`,
    });
  }
  const { names, port } = hostNames(key.value, key.span);
  if (!isNull(value) && value.kind !== "map") {
    throw inventoryError(
      file,
      value.span,
      `host "${key.value}" is ${value.kind === "list" ? "a list" : "text"}`,
      {
        why: "a host holds a map of its variables, or nothing",
        fix: key.value.startsWith("ansible_")
          ? "indent it below its host, or write it below vars:"
          : `write "${key.value}:", with name: value below it`,
      },
    );
  }
  builder.addHosts({ names, port, group, file, span: key.span });
  for (const name of names) {
    const variables = value.kind === "map" ? value.entries : [];
    for (const variable of variables) builder.setHostVar(name, keyText(variable.key), variable.value);
  }
}

const isNull = (node: SourceNode): boolean => node.kind === "scalar" && node.value === null;
