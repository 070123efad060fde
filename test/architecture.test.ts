import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, test } from "vitest";

/** Which folders of src/ a folder may import from, besides itself. The one place where this is written down. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  ".": ["cli", "base"],
  cli: ["base", "provisioning/*", "scheduler/*", "cluster/*"],
  base: [],
  "provisioning/source": ["base"],
  "provisioning/inventory": ["base", "provisioning/source", "provisioning/vars"],
  "provisioning/vars": ["base", "provisioning/source"],
  "provisioning/playbook": ["base", "provisioning/source", "provisioning/vars"],
  "provisioning/host": ["base"],
  "provisioning/modules": ["base", "provisioning/host"],
  "provisioning/transport": ["base", "provisioning/host"],
  "provisioning/engine": [
    "base",
    "provisioning/source",
    "provisioning/inventory",
    "provisioning/vars",
    "provisioning/playbook",
    "provisioning/host",
    "provisioning/modules",
    "provisioning/transport",
  ],
  "provisioning/reporting": ["base", "provisioning/engine/events.ts"],
  scheduler: ["base"],
  "scheduler/http": ["base", "scheduler"],
  "scheduler/zookeeper": ["base", "scheduler"],
  "scheduler/mesos/protocol": ["base", "scheduler"],
  "scheduler/mesos/daemon": [
    "base",
    "scheduler",
    "scheduler/http",
    "scheduler/zookeeper",
    "scheduler/mesos/protocol",
  ],
  "scheduler/mesos/master": [
    "base",
    "scheduler",
    "scheduler/http",
    "scheduler/zookeeper",
    "scheduler/mesos/protocol",
    "scheduler/mesos/daemon",
  ],
  "scheduler/mesos/agent": [
    "base",
    "scheduler",
    "scheduler/http",
    "scheduler/zookeeper",
    "scheduler/mesos/protocol",
    "scheduler/mesos/daemon",
  ],
  "scheduler/marathon": [
    "base",
    "scheduler",
    "scheduler/http",
    "scheduler/zookeeper",
    "scheduler/mesos/protocol",
  ],
  "scheduler/discovery": ["base", "scheduler", "scheduler/http"],
  "cluster/services": ["base"],
  "cluster/operations": ["base", "cluster/services", "provisioning/*", "scheduler/*"],
  "cluster/rehearsal": [
    "base",
    "cluster/services",
    "cluster/operations",
    "cluster/runtime",
    "provisioning/*",
    "scheduler/*",
  ],
  "cluster/runtime": ["base", "scheduler/*"],
  "cluster/standalone": ["base", "scheduler/*", "scheduler"],
};

interface Import {
  readonly from: string;
  readonly to: string;
}

const rooms = Object.keys(allowed).sort((a, b) => b.length - a.length);

/** The innermost listed folder that holds a file of src/, "." for src/main.ts. */
const roomOf = (file: string): string => rooms.find((room) => file.startsWith(`${room}/`)) ?? ".";

function forbidden({ from, to }: Import): boolean {
  const room = roomOf(from);
  if (roomOf(to) === room) return false;
  return !(allowed[room] ?? []).some((rule) => {
    if (rule.endsWith(".ts")) return to === rule;
    if (rule.endsWith("/*")) return to.startsWith(rule.slice(0, -1));
    return roomOf(to) === rule;
  });
}

function importsOf(file: string, text: string): Import[] {
  const found = text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g);
  return [...found].map(([, path]) => ({ from: file, to: normalize(join(dirname(file), path ?? "")) }));
}

const src = join(import.meta.dirname, "../src");
const files = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
  .map((entry) => relative(src, join(entry.parentPath, entry.name)));
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(src, file), "utf8")));

describe("the architecture", () => {
  test("every file stands in a listed room", () => {
    expect(files.filter((file) => roomOf(file) === "." && file !== "main.ts")).toEqual([]);
  });

  test("a folder imports only what its list allows", () => {
    expect(imports.filter(forbidden).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  test("a planted bad import is found", () => {
    const planted = importsOf("provisioning/modules/copy.ts", 'import { x } from "../engine/run.ts";');
    expect(planted.filter(forbidden)).toHaveLength(1);
    const wings = importsOf("scheduler/marathon/api.ts", 'import("../../provisioning/vars/x.ts")');
    expect(wings.filter(forbidden)).toHaveLength(1);
  });

  test("folders import each other without a cycle", () => {
    const edges = new Map<string, Set<string>>();
    for (const { from, to } of imports) {
      if (roomOf(from) === roomOf(to)) continue;
      edges.set(roomOf(from), (edges.get(roomOf(from)) ?? new Set()).add(roomOf(to)));
    }
    const cycle = findCycle(edges);
    expect(cycle).toEqual([]);
  });
});

function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const done = new Set<string>();
  const visit = (room: string, path: string[]): string[] => {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
    if (done.has(room)) return [];
    for (const next of edges.get(room) ?? []) {
      const cycle = visit(next, [...path, room]);
      if (cycle.length > 0) return cycle;
    }
    done.add(room);
    return [];
  };
  for (const room of edges.keys()) {
    const cycle = visit(room, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}
