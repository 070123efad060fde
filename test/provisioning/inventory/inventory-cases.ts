/** The inventories under test/cases/inventory and how each is given on the command line. */
import { join } from "node:path";

export const casesDir = join(import.meta.dirname, "../../cases/inventory");
export const goldenDir = join(import.meta.dirname, "../../golden/inventory");

/** Case folder → what `-i` gets, relative to it. Further arguments stand in `moreArguments`. */
export const cases: Readonly<Record<string, readonly string[]>> = {
  addresses: ["hosts.ini"],
  anchors: ["hosts.yml"],
  basics: ["hosts.ini"],
  "beside-playbook": ["inv"],
  connections: ["hosts.ini", "long.yml"],
  diamond: ["hosts.ini"],
  folder: ["inventory"],
  folders: ["a.ini", "b.yml", "d", "h1,h5:22"],
  json: ["hosts.json"],
  levels: ["hosts.ini"],
  literals: ["hosts.ini"],
  mixed: ["inv"],
  overlap: ["hosts.ini"],
  pending: ["hosts.ini"],
  priority: ["hosts.ini"],
  quoting: ["hosts.ini"],
  ranges: ["hosts.ini"],
  script: ["hosts.sh", "nometa.sh"],
  "script-folder": ["inv"],
  several: ["one.ini", "two.ini", "h1,h2:2200,w1"],
  tags: ["hosts.yml"],
  templates: ["hosts.ini"],
  twice: ["hosts.ini", "more.ini"],
  unicode: ["hosts.ini"],
  vault: ["hosts"],
  yaml: ["hosts.yml"],
};

const moreArguments: Readonly<Record<string, readonly string[]>> = {
  "beside-playbook": ["--playbook-dir", "pb"],
  vault: ["--vault-password-file", "pw"],
};

/** What stands before the view, for ansible-inventory and for us. */
export const argumentsOf = (name: string): readonly string[] => [
  ...(cases[name] ?? []).flatMap((source) => ["-i", source]),
  ...(moreArguments[name] ?? []),
];

export const views: Readonly<Record<string, readonly string[]>> = {
  list: ["--list"],
  export: ["--list", "--export"],
  graph: ["--graph", "--vars"],
  yaml: ["--list", "-y"],
  "export-yaml": ["--list", "--export", "-y"],
  toml: ["--list", "--toml"],
};

/** TOML holds no null and no vault value, and Ansible loses variables of groups below two others, or fails. */
const withoutToml = new Set([
  "connections",
  "diamond",
  "folder",
  "json",
  "literals",
  "pending",
  "ranges",
  "script",
  "tags",
  "vault",
  "yaml",
]);

/** ansible-inventory --graph fails on a vault value without its password, and shows it with it. */
export const viewsOf = (name: string): readonly string[] =>
  Object.keys(views).filter(
    (view) =>
      !(view === "graph" && (name === "tags" || name === "vault")) &&
      !(view === "toml" && withoutToml.has(name)),
  );
