/**
 * What the roles lay down, file by file: every template and every `copy: content` of a role, rendered for one host and held
 * against test/golden/roles. No host is touched. UPDATE_GOLDEN=1 writes the files anew.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../src/base/json.ts";
import { isJsonObject } from "../src/base/json.ts";
import { catalogue } from "../src/provisioning/modules/index.ts";
import { loadPlaybook } from "../src/provisioning/playbook/load-playbook.ts";
import type { Play, Role, Statement, Task } from "../src/provisioning/playbook/model.ts";
import type { MapNode, SourceNode } from "../src/provisioning/source/node.ts";
import {
  evaluateCondition,
  render,
  renderTemplateFile,
  renderToString,
} from "../src/provisioning/vars/render.ts";
import type { RenderContext } from "../src/provisioning/vars/render-context.ts";
import type { Scope, Variable } from "../src/provisioning/vars/variable.ts";

const root = join(import.meta.dirname, "..");
const golden = join(import.meta.dirname, "golden", "roles");
const site = loadPlaybook(join(root, "site.yml"), { catalogue, rolesPath: [] });

interface Cluster {
  readonly masters: number;
  readonly slaves: number;
  readonly vars: JsonObject;
  readonly serviceManager: string;
  /** How many transaction logs each master's ZooKeeper has. */
  readonly logs?: readonly number[];
}

const data = (value: JsonValue): Variable => ({ kind: "data", value, origin: { layer: "test" } });
const hostVars = (n: number, { logs = [] }: Cluster): JsonObject => ({
  zoo_id: n,
  zookeeper_log: { matched: logs[n - 1] ?? 0 },
});

function contextOf(cluster: Cluster, host: string, roles: readonly Role[]): RenderContext {
  const masters = Array.from({ length: cluster.masters }, (_, n) => `master${n + 1}`);
  const slaves = Array.from({ length: cluster.slaves }, (_, n) => `slave${n + 1}`);
  const own: JsonObject = {
    inventory_hostname: host,
    groups: { mesos_masters: masters, mesos_slaves: slaves },
    ansible_service_mgr: cluster.serviceManager,
    ansible_memtotal_mb: 4096,
    ansible_distribution: "Ubuntu",
    ansible_distribution_version: "24.04",
    ansible_distribution_release: "noble",
    ansible_architecture: "x86_64",
    ansible_default_ipv4: { address: "10.0.0.1" },
    scheduler_runtimes: { x86_64: { version: "0123456789abcdef", archive: "/cache/runtime.tar.gz" } },
    ...(host.startsWith("master") ? hostVars(Number(host.slice("master".length)), cluster) : {}),
    ...cluster.vars,
  };
  const variables = new Map(Object.entries(own).map(([name, value]) => [name, data(value)]));
  for (const role of roles) {
    addTemplates(variables, role.vars, true);
  }
  for (const role of roles) addTemplates(variables, role.defaults, false);
  const scope: Scope = { lookup: (name) => variables.get(name), names: () => variables.keys() };
  return {
    scope,
    searchPath: roles.flatMap((role) => [join(role.dir, "templates"), join(role.dir, "files")]),
    hosts: {
      names: () => [...masters, ...slaves],
      context: (name) => ({
        scope: {
          lookup: (key) => {
            const value = hostVars(Number(name.replace(/\D/g, "")), cluster)[key];
            return value === undefined ? undefined : data(value);
          },
          names: () => ["zoo_id", "zookeeper_log"],
        },
        searchPath: [],
      }),
    },
  };
}

function addTemplates(variables: Map<string, Variable>, map: MapNode | undefined, wins: boolean): void {
  for (const { key, value } of map?.entries ?? []) {
    const name = String(key.value);
    if (wins || !variables.has(name))
      variables.set(name, { kind: "template", node: value, origin: { layer: "role" } });
  }
}

function* tasksOf(statements: readonly Statement[]): Generator<Task> {
  for (const statement of statements) {
    if (statement.kind === "block") yield* tasksOf(statement.block);
    else if (statement.kind === "task") yield statement;
  }
}

const argument = (task: Task, name: string): SourceNode | undefined =>
  task.args.map.entries.find(({ key }) => key.value === name)?.value;

/** The files that a play's roles write, by path, for one host. */
function filesOf(play: Play, cluster: Cluster, host: string): string {
  const roles = play.roles.map(({ role }) => role);
  const base = contextOf(cluster, host, roles);
  const written: string[] = [];
  for (const task of roles.flatMap((role) => [...tasksOf(role.tasks)])) {
    const destination = argument(task, "dest");
    if (destination === undefined || !["template", "copy"].includes(task.module)) continue;
    for (const context of loopContexts(task, base)) {
      if (!task.when.every(({ expression, span }) => evaluateCondition(expression, span, context))) continue;
      written.push(`==> ${renderToString(destination, context)}\n${contentOf(task, context)}`);
    }
  }
  return written.join("\n");
}

function loopContexts(task: Task, base: RenderContext): RenderContext[] {
  if (task.loop === undefined) return [base];
  const items = render(task.loop.over, base);
  if (!Array.isArray(items)) throw new Error(`the loop of "${task.span.line}" is no list`);
  return items.map((item: JsonValue) => ({
    ...base,
    scope: {
      lookup: (name) => (name === "item" ? data(item) : base.scope.lookup(name)),
      names: () => [...base.scope.names(), "item"],
    },
  }));
}

function contentOf(task: Task, context: RenderContext): string {
  const content = argument(task, "content");
  if (content !== undefined) {
    const value = render(content, context);
    return typeof value === "string" ? value : isJsonObject(value) ? JSON.stringify(value) : String(value);
  }
  const source = argument(task, "src");
  const name = source === undefined ? "" : renderToString(source, context);
  const file = join(task.baseDir, "templates", name);
  return renderTemplateFile({ text: readFileSync(file, "utf8"), file, language: "hbs" }, context);
}

function expectGolden(name: string, text: string): void {
  const file = join(golden, name);
  if (process.env["UPDATE_GOLDEN"] === "1" || !existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  expect(text).toBe(readFileSync(file, "utf8"));
}

const [, masters, slaves] = site.plays;
if (masters === undefined || slaves === undefined) throw new Error("site.yml has three plays");
const builtin = { scheduler_source: "builtin" };
const packaged = { scheduler_source: "package", haproxy_bridge: "none" };

describe("what the roles lay down", () => {
  test.each([1, 3, 5])("on the first of %i masters, under systemd", (count) => {
    const cluster: Cluster = { masters: count, slaves: 2, vars: builtin, serviceManager: "systemd" };
    expectGolden(`master-of-${count}.txt`, filesOf(masters, cluster, "master1"));
  });

  test("on a slave, under systemd", () => {
    const vars = {
      ...builtin,
      mesos_slave_attributes: { rack: "r1" },
      mesos_slave_resources: "cpus:4;mem:8192;ports:[31000-32000]",
    };
    expectGolden(
      "slave.txt",
      filesOf(slaves, { masters: 3, slaves: 2, vars, serviceManager: "systemd" }, "slave1"),
    );
  });

  test("on a master and a slave with packages, under upstart", () => {
    const cluster: Cluster = { masters: 3, slaves: 2, vars: packaged, serviceManager: "upstart" };
    expectGolden("package-master-upstart.txt", filesOf(masters, cluster, "master2"));
    expectGolden("package-slave-upstart.txt", filesOf(slaves, cluster, "slave1"));
  });

  test("on a master with packages, under systemd", () => {
    const cluster: Cluster = { masters: 3, slaves: 2, vars: packaged, serviceManager: "systemd" };
    expectGolden("package-master.txt", filesOf(masters, cluster, "master1"));
  });
});

describe("an ensemble of ZooKeeper never loses what it holds by growing", () => {
  const tasks = masters.roles.flatMap(({ role }) => [...tasksOf(role.tasks)]);
  const that = tasks
    .filter(({ module }) => module === "assert")
    .map((task) => argument(task, "that"))
    .find((node) => node?.kind === "scalar" && String(node.value).includes("zookeeper_new"));
  if (that?.kind !== "scalar") throw new Error("the role does not look at new servers");

  test.each([
    { what: "all are new", logs: [0, 0, 0], fine: true },
    { what: "a single one is new", logs: [0], fine: true },
    { what: "all are known", logs: [1, 2, 1], fine: true },
    { what: "one of three is new", logs: [1, 0, 3], fine: true },
    { what: "one of two is new", logs: [1, 0], fine: true },
    { what: "two of five are new", logs: [1, 1, 1, 0, 0], fine: true },
    { what: "two of three are new", logs: [1, 0, 0], fine: false },
    { what: "three of five are new", logs: [1, 1, 0, 0, 0], fine: false },
    {
      what: "two of three are new, and the third is not in this run",
      logs: [0, 0, 1],
      present: 2,
      fine: false,
    },
  ])("$what: $fine", ({ logs, present, fine }) => {
    const all = logs.map((_, n) => `master${n + 1}`);
    const vars = { ...builtin, ansible_play_hosts: all.slice(0, present ?? all.length) };
    const cluster: Cluster = { masters: logs.length, slaves: 0, vars, serviceManager: "systemd", logs };
    const context = contextOf(
      cluster,
      "master1",
      masters.roles.map(({ role }) => role),
    );
    expect(evaluateCondition(String(that.value), that.span, context)).toBe(fine);
  });
});
