import { expect, test } from "vitest";
import type { JsonObject } from "../../../src/base/json.ts";
import { readPortWishes } from "../../../src/scheduler/discovery/port-labels.ts";
import { readServedApps } from "../../../src/scheduler/discovery/served-app.ts";

const read = (fields: JsonObject) => {
  const [app] = readServedApps({ apps: [{ id: "/www", ports: [10_000, 10_001], ...fields }] }) ?? [];
  if (app === undefined) throw new Error("no app was read");
  return app;
};

test.each<[string, JsonObject, (string | undefined)[]]>([
  ["the first port unless it says which", { protocol: "HTTP", path: "/ping" }, ["/ping", undefined]],
  ["the one that it names", { protocol: "MESOS_HTTP", path: "/ping", portIndex: 1 }, [undefined, "/ping"]],
  ["the root without a path", { protocol: "HTTP" }, ["/", undefined]],
  [
    "none when it asks a number of its own",
    { protocol: "HTTP", path: "/p", port: 99 },
    [undefined, undefined],
  ],
  ["none over TCP", { protocol: "TCP" }, [undefined, undefined]],
])("a health check is of %s", (_what, check, paths) => {
  expect(read({ healthChecks: [check] }).ports.map(({ healthPath }) => healthPath)).toEqual(paths);
});

test("only what runs is served, and what is being killed is said to leave", () => {
  const states = ["TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING", "TASK_UNREACHABLE"];
  const tasks = states.map((state) => ({ id: state, host: "h", ports: [1, 2], state }));
  expect(read({ tasks }).instances.map(({ id, isLeaving }) => [id, isLeaving])).toEqual([
    ["TASK_RUNNING", false],
    ["TASK_KILLING", true],
  ]);
});

test.each([
  ["www.example.com, other.example.com", ["www.example.com", "other.example.com"]],
  ["*.example.com", ["*.example.com"]],
  [`${"a".repeat(60)}.`.repeat(4).slice(0, -1), [`${"a".repeat(60)}.`.repeat(4).slice(0, -1)]],
  [`${"a".repeat(60)}.`.repeat(5).slice(0, -1), []],
  ["bad name", []],
  ["a\n  server evil", []],
])("the label VHOST %j asks for %j", (label, hosts) => {
  const told: string[] = [];
  const app = read({ labels: { HAPROXY_0_VHOST: label } });
  expect(readPortWishes(app, 0, (problem) => told.push(problem)).hosts).toEqual(hosts);
  expect(told).toHaveLength(hosts.length === 0 ? 1 : 0);
});
