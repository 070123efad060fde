/** The inventories under test/cases/inventory and how each is given on the command line. */
import { join } from "node:path";

export const casesDir = join(import.meta.dirname, "../../cases/inventory");
export const goldenDir = join(import.meta.dirname, "../../golden/inventory");

/** Case folder → what `-i` gets, relative to it. */
export const cases: Readonly<Record<string, readonly string[]>> = {
  addresses: ["hosts.ini"],
  basics: ["hosts.ini"],
  diamond: ["hosts.ini"],
  folder: ["inventory"],
  json: ["hosts.json"],
  literals: ["hosts.ini"],
  overlap: ["hosts.ini"],
  pending: ["hosts.ini"],
  priority: ["hosts.ini"],
  ranges: ["hosts.ini"],
  script: ["hosts.sh", "nometa.sh"],
  several: ["one.ini", "two.ini", "h1,h2:2200,w1"],
  tags: ["hosts.yml"],
  unicode: ["hosts.ini"],
  yaml: ["hosts.yml"],
};

export const views: Readonly<Record<string, readonly string[]>> = {
  list: ["--list"],
  export: ["--list", "--export"],
  graph: ["--graph", "--vars"],
};

/** ansible-inventory --graph fails on a vault value without its password. */
export const viewsOf = (name: string): readonly string[] =>
  Object.keys(views).filter((view) => name !== "tags" || view !== "graph");
