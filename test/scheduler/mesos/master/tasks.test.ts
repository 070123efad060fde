import { describe, expect, test } from "vitest";
import { freeOf } from "../../../../src/scheduler/mesos/master/cluster-state.ts";
import { parseResources } from "../../../../src/scheduler/mesos/protocol/resources.ts";
import type { TaskInfo } from "../../../../src/scheduler/mesos/protocol/task.ts";
import { id } from "../../../../src/scheduler/mesos/protocol/wire.ts";
import { agentOf, commandsTo, launched, partitionAware, running, statusesIn, taskOn } from "./stage.ts";

describe("tasks", () => {
  test("a launch goes to the agent and takes the resources of the offer", () => {
    const { stage, offer } = running();
    stage.take();
    expect(stage.accept("f1", [offer], [taskOn(offer, "t1")])).toEqual({ status: 202 });
    expect(commandsTo(stage.tape, "a1")).toMatchObject([
      { type: "LAUNCH", task: { task_id: { value: "t1" } } },
    ]);
    expect(String(freeOf(agentOf(stage)))).toBe("cpus:3;mem:4032;ports:[31000-31009]");
  });

  test.each([
    ["more than was offered", (offer: Parameters<typeof taskOn>[0]) => taskOn(offer, "t", "cpus:5")],
    ["no resources", (offer: Parameters<typeof taskOn>[0]) => taskOn(offer, "t", "")],
    [
      "another agent",
      (offer: Parameters<typeof taskOn>[0]) => ({ ...taskOn(offer, "t"), agent_id: id("x") }),
    ],
    ["a path as id", (offer: Parameters<typeof taskOn>[0]) => taskOn(offer, "../t")],
    ["no command", (offer: Parameters<typeof taskOn>[0]) => ({ ...taskOn(offer, "t"), command: {} })],
  ])("%s is an error, and nothing is held", (_name, task) => {
    const { stage, offer } = running();
    stage.take();
    stage.accept("f1", [offer], [task(offer)]);
    expect(statusesIn(stage.tape, "f1")).toMatchObject([
      { state: "TASK_ERROR", reason: "REASON_TASK_INVALID" },
    ]);
    expect(agentOf(stage).used.isEmpty).toBe(true);
    expect(agentOf(stage).offered.isEmpty).toBe(true);
  });

  test("a second task of the same id is refused", () => {
    const { stage, offer } = running();
    stage.accept("f1", [offer], [taskOn(offer, "t1"), taskOn(offer, "t1")]);
    expect(statusesIn(stage.tape, "f1")).toMatchObject([
      { state: "TASK_ERROR", message: "Task has duplicate ID: t1" },
    ]);
    expect(commandsTo(stage.tape, "a1").filter(({ type }) => type === "LAUNCH")).toHaveLength(1);
  });

  const ofDocker = (docker?: object): Partial<TaskInfo> => ({
    container: { type: "DOCKER", ...(docker === undefined ? {} : { docker: { image: "i", ...docker } }) },
  });
  test.each<[string, Partial<TaskInfo>, string]>([
    ["an id that is the folder above", { task_id: id("..") }, "Task ID '..' contains invalid characters"],
    ["an id with a slash", { task_id: id("a/b") }, "Task ID 'a/b' contains invalid characters"],
    ["an id with a line end", { task_id: id("a\n") }, "invalid characters"],
    ["an id that is too long for a folder", { task_id: id("é".repeat(128)) }, "invalid characters"],
    ["another agent", { agent_id: id("M-S9") }, "Task uses invalid agent M-S9 while agent M-S0 is expected"],
    ["an executor", { executor: { executor_id: id("e") } }, "Task wants a custom executor"],
    ["no command", { command: undefined }, "Task should have a CommandInfo"],
    ["an empty command", { command: { value: "" } }, "Task's CommandInfo has no command"],
    ["a container of nothing", ofDocker(), "has no DockerInfo"],
    [
      "an image in a MESOS container",
      { container: { type: "MESOS", mesos: { image: {} } } },
      "Task wants an image in a MESOS container",
    ],
    ["no resources", { resources: [] }, "Task uses no resources"],
    ["more than was offered", { resources: parseResources("cpus:5").toWire() }, "more resources cpus:5 than"],
  ])("a task with %s is refused, and its resources stay free", (_what, fields, problem) => {
    const { stage, offer } = running();
    stage.accept("f1", [offer], [{ ...taskOn(offer, "t1"), ...fields }]);
    expect(statusesIn(stage.tape, "f1")).toMatchObject([
      { state: "TASK_ERROR", reason: "REASON_TASK_INVALID", message: expect.stringContaining(problem) },
    ]);
    expect(commandsTo(stage.tape, "a1").filter(({ type }) => type === "LAUNCH")).toEqual([]);
    expect(agentOf(stage).used.isEmpty).toBe(true);
  });

  test("a container needs no command of its own", () => {
    const { stage, offer } = running();
    stage.accept("f1", [offer], [{ ...taskOn(offer, "t1"), command: {}, ...ofDocker({}) }]);
    expect(commandsTo(stage.tape, "a1").map(({ type }) => type)).toContain("LAUNCH");
  });

  test("an offer that is no more loses the task", () => {
    const { stage, offer } = running(partitionAware);
    stage.accept("f1", [offer], []);
    stage.take();
    stage.accept("f1", [offer], [taskOn(offer, "t1")]);
    expect(statusesIn(stage.tape, "f1")).toMatchObject([
      { state: "TASK_DROPPED", reason: "REASON_INVALID_OFFERS" },
    ]);
  });

  test("the end frees the resources at once, the acknowledgement ends the task", () => {
    const stage = launched();
    stage.update("a1", "M-0000", { taskId: "t1", state: "TASK_FINISHED", uuid: "u9" });
    expect(agentOf(stage).used.isEmpty).toBe(true);
    expect(stage.core.state.frameworks.get("M-0000")?.tasks.size).toBe(1);
    stage.acknowledge("f1", "M-0000", "M-S0", "t1", "u9");
    expect(commandsTo(stage.tape, "a1")).toMatchObject([{ type: "ACKNOWLEDGE", uuid: "u9" }]);
    expect(stage.core.state.frameworks.get("M-0000")?.tasks.size).toBe(0);
    expect(agentOf(stage).tasks.size).toBe(0);
  });

  test("an acknowledgement that names another agent goes to none and ends nothing", () => {
    const stage = launched();
    stage.agent("b1");
    stage.update("a1", "M-0000", { taskId: "t1", state: "TASK_FINISHED", uuid: "u9" });
    stage.take();
    stage.acknowledge("f1", "M-0000", "M-S1", "t1", "u9");
    expect(stage.take()).toEqual([]);
    expect(stage.core.state.frameworks.get("M-0000")?.tasks.size).toBe(1);
  });

  test("an acknowledgement of older news does not end a task whose end is yet to be told", () => {
    const stage = launched();
    stage.update("a1", "M-0000", { taskId: "t1", state: "TASK_RUNNING", uuid: "u1" }, "TASK_FINISHED");
    stage.acknowledge("f1", "M-0000", "M-S0", "t1", "u1");
    expect(stage.core.state.frameworks.get("M-0000")?.tasks.size).toBe(1);
  });

  test("an end that was acknowledged is not taken up again from an agent that has not heard so", () => {
    const stage = launched();
    stage.update("a1", "M-0000", { taskId: "t1", state: "TASK_FINISHED", uuid: "u9" });
    stage.acknowledge("f1", "M-0000", "M-S0", "t1", "u9");
    const report = { framework_id: id("M-0000"), info: taskOn(undefined, "t1"), statuses: [] };
    stage.agent("a2", { id: "M-S0", tasks: [{ ...report, state: "TASK_FINISHED" }], ip: "a1" });
    expect(stage.core.state.frameworks.get("M-0000")?.tasks.size).toBe(0);
    expect(agentOf(stage).tasks.size).toBe(0);
  });

  test("a launch that the returning agent does not know of is dropped", () => {
    const { stage, offer } = running(partitionAware);
    stage.accept("f1", [offer], [taskOn(offer, "t1")]);
    stage.happen({ is: "agent-closed", session: "a1" });
    stage.take();
    stage.agent("a2", { id: "M-S0", ip: "a1" });
    expect(statusesIn(stage.tape, "f1")).toMatchObject([{ state: "TASK_DROPPED" }]);
    expect(agentOf(stage).used.isEmpty).toBe(true);
  });

  test("a kill that the agent could not hear is repeated when it is back", () => {
    const stage = launched();
    stage.happen({ is: "agent-closed", session: "a1" });
    stage.call("f1", { type: "KILL", framework_id: id("M-0000"), kill: { task_id: id("t1") } });
    stage.take();
    const report = {
      framework_id: id("M-0000"),
      info: taskOn(undefined, "t1"),
      state: "TASK_RUNNING" as const,
      statuses: [],
    };
    stage.agent("a2", { id: "M-S0", tasks: [report], ip: "a1" });
    expect(commandsTo(stage.tape, "a2").map(({ type }) => type)).toEqual(["REGISTERED", "KILL"]);
  });
});
