import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { AgentTask } from "../../../../src/scheduler/mesos/agent/agent-state.ts";
import { Checkpoint } from "../../../../src/scheduler/mesos/agent/checkpoint.ts";
import { id } from "../../../../src/scheduler/mesos/protocol/wire.ts";
import fc from "../../../support/property.ts";

let workDir = "";
beforeEach(() => {
  workDir = mkdtempSync(join(tmpdir(), "checkpoint-"));
});
afterEach(() => rmSync(workDir, { recursive: true, force: true }));

const taskOf = (frameworkId: string, taskId: string): AgentTask => ({
  frameworkId,
  info: { name: "t", task_id: id(taskId), agent_id: id("A"), resources: [], command: { value: "x" } },
  kind: "command",
  containerId: "c",
  directory: "/sandbox",
  launchedAt: 1,
  state: "TASK_RUNNING",
  statuses: [{ task_id: id(taskId), state: "TASK_RUNNING" }],
  unacknowledged: [],
  process: { pid: 1, startTicks: "2", bootId: "3" },
  retryAt: 5,
  retryMs: 6,
  kill: { deadline: 7, hard: true },
  healthy: undefined,
});
const inMeta = (...path: readonly string[]): string => join(workDir, "meta", ...path);

function place(path: string, text: string): void {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
}

test("what was kept is recovered, but for when news are sent again; what was forgotten is not", () => {
  const checkpoint = new Checkpoint(workDir);
  expect(checkpoint.recover()).toEqual({ identity: undefined, frameworks: [], tasks: [] });
  const framework = { id: id("F"), user: "u", name: "f" };
  const identity = { agentId: "A", resources: [], attributes: [] };
  const [one, other] = [taskOf("F", "one"), taskOf("F", "other")];
  checkpoint.keepIdentity(identity);
  checkpoint.keepFramework(framework);
  for (const task of [one, other]) checkpoint.keepTask(task);
  checkpoint.forgetTask(other);
  const found = new Checkpoint(workDir).recover();
  expect(found).toMatchObject({ identity, frameworks: [framework] });
  expect(found.tasks).toEqual([{ ...one, retryAt: 0, retryMs: 0, kill: { deadline: 0, hard: false } }]);
  checkpoint.forgetFramework("F");
  expect(checkpoint.recover()).toEqual({ identity, frameworks: [], tasks: [] });
});

test("ids of any letters are files of their own below the folder", () => {
  const ids = fc.oneof(
    fc.string({ minLength: 1, maxLength: 255, unit: "grapheme" }),
    fc.constantFrom("..", ".", "../x", "a/b", "a.json"),
  );
  fc.assert(
    fc.property(fc.uniqueArray(ids, { minLength: 1, maxLength: 4 }), (names) => {
      const checkpoint = new Checkpoint(workDir);
      for (const name of names) checkpoint.keepTask(taskOf(name, name));
      const kept = checkpoint.recover().tasks.map(({ info }) => info.task_id.value);
      expect(kept.toSorted()).toEqual(names.toSorted());
      for (const name of names) checkpoint.forgetFramework(name);
      expect(checkpoint.recover().tasks).toEqual([]);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ["no JSON", "{"],
  ["another shape", '{"frameworkId": 7}'],
])("a file of %s is named, and nothing is recovered by guessing", (_what, text) => {
  const path = inMeta("tasks", "F", "t.json");
  place(path, text);
  expect(() => new Checkpoint(workDir).recover()).toThrow(`${path} cannot be understood`);
});

test.each([
  ["nothing", ""],
  ["zeros", "\0\0\0"],
])("a file that holds %s, as a power failure leaves it, is of no task", (_what, text) => {
  place(inMeta("tasks", "F", "t.json"), text);
  expect(new Checkpoint(workDir).recover().tasks).toEqual([]);
});
