import { describe, expect, test } from "vitest";
import { freeOf } from "../../../../src/scheduler/mesos/master/cluster-state.ts";
import { Resources } from "../../../../src/scheduler/mesos/protocol/resources.ts";
import { id } from "../../../../src/scheduler/mesos/protocol/wire.ts";
import {
  agentOf,
  commandsTo,
  eventsTo,
  launched,
  partitionAware,
  running,
  Stage,
  statusesIn,
  taskOn,
} from "./stage.ts";

describe("agents", () => {
  test("are in the registrar before they are told that they belong", () => {
    const stage = new Stage();
    stage.holdWrites = true;
    stage.agent("a1");
    expect(commandsTo(stage.tape, "a1")).toEqual([]);
    const [write] = stage.take();
    expect(write).toMatchObject({ do: "persist", record: { id: "M-S0", standing: "admitted" } });
    if (write?.do === "persist") stage.happen({ is: "persisted", record: write.record, next: write.next });
    expect(commandsTo(stage.tape, "a1")).toMatchObject([{ type: "REGISTERED", agent_id: { value: "M-S0" } }]);
  });

  test("keep their id when they come back, and the older stream ends", () => {
    const stage = new Stage();
    stage.agent("a1");
    stage.take();
    stage.agent("a2", { id: "M-S0", ip: "a1" });
    expect(stage.tape).toContainEqual({ do: "close-session", session: "a1" });
    expect(commandsTo(stage.tape, "a2")).toMatchObject([{ type: "REGISTERED", agent_id: { value: "M-S0" } }]);
    expect(stage.update("a1", "M-0000", { taskId: "t" }).status).toBe(410);
    expect(stage.core.state.agents.size).toBe(1);
  });

  test("one that moved is not taken for gone when another comes to its old address", () => {
    const stage = new Stage();
    stage.agent("a1", { ip: "10.0.0.1" });
    stage.agent("a2", { id: "M-S0", ip: "10.0.0.2" });
    stage.happen({ is: "agent-closed", session: "a2" });
    stage.agent("b1", { ip: "10.0.0.1" });
    expect(stage.core.state.gone.size).toBe(0);
    expect([...stage.core.state.agents.keys()]).toEqual(["M-S0", "M-S1"]);
  });

  test("one whose end is being written is asked to say hello again", () => {
    const stage = new Stage();
    stage.agent("a1");
    stage.holdWrites = true;
    stage.happen({ is: "operator", request: { want: "mark-agent-gone", agentId: "M-S0" } });
    expect(stage.agent("a2", { id: "M-S0", ip: "a1" })).toMatchObject({ status: 503 });
    expect(commandsTo(stage.tape, "a2")).toEqual([]);
  });

  test("an older hello never displaces a newer one", () => {
    const stage = new Stage();
    stage.agent("a1");
    const hello = {
      boot: "b",
      info: { hostname: "a1", ip: "a1", port: 5051, resources: [], attributes: [], version: "1" },
      tasks: [],
      frameworks: [],
    };
    stage.happen({ is: "agent-hello", session: "x2", hello: { agent_id: id("M-S0"), attempt: 2, ...hello } });
    const answer = stage.happen({
      is: "agent-hello",
      session: "x1",
      hello: { agent_id: id("M-S0"), attempt: 1, ...hello },
    });
    expect(answer.status).toBe(409);
    expect(agentOf(stage).session).toBe("x2");
  });

  test("five pings of 15 s without an answer make them unreachable", () => {
    const stage = launched(partitionAware);
    for (let ping = 0; ping < 5; ping++) stage.tick(15_000);
    expect(stage.core.state.agents.has("M-S0")).toBe(true);
    stage.tick(15_000);
    expect(stage.core.state.agents.size).toBe(0);
    expect(stage.core.state.unreachable.has("M-S0")).toBe(true);
    expect(statusesIn(stage.tape, "f1")).toMatchObject([
      { state: "TASK_UNREACHABLE", reason: "REASON_SLAVE_REMOVED" },
    ]);
    expect(eventsTo(stage.tape, "f1")).toContainEqual({
      type: "FAILURE",
      failure: { agent_id: { value: "M-S0" } },
    });
  });

  test("any word from them counts as an answer", () => {
    const stage = launched();
    for (let ping = 0; ping < 12; ping++) {
      stage.tick(15_000);
      stage.happen({ is: "agent-message", session: "a1", message: { type: "PONG" } });
    }
    expect(stage.core.state.agents.size).toBe(1);
  });

  test("that were awaited after a failover are given up after ten minutes", () => {
    const stage = new Stage({
      records: [{ id: "Old-S1", hostname: "h", ip: "1", port: 5051, standing: "admitted", since: 5 }],
    });
    stage.tick(599_000);
    expect(stage.core.state.awaited.size).toBe(1);
    stage.tick(1_000);
    expect(stage.core.state.unreachable.has("Old-S1")).toBe(true);
    expect(stage.tape).toContainEqual(expect.objectContaining({ do: "persist", next: { step: "nothing" } }));
  });

  test("that were marked gone are told to shut down", () => {
    const stage = launched();
    stage.happen({ is: "operator", request: { want: "mark-agent-gone", agentId: "M-S0" } });
    expect(commandsTo(stage.take(), "a1").map(({ type }) => type)).toEqual(["SHUTDOWN"]);
    stage.agent("a2", { id: "M-S0" });
    expect(commandsTo(stage.tape, "a2").map(({ type }) => type)).toEqual(["SHUTDOWN"]);
  });
});

describe("a partition that heals", () => {
  function healed(info: object): Stage {
    const stage = launched(info);
    for (let ping = 0; ping < 6; ping++) stage.tick(15_000);
    stage.take();
    const report = {
      framework_id: id("M-0000"),
      info: taskOn(undefined, "t1"),
      state: "TASK_RUNNING" as const,
      statuses: [],
    };
    const framework = { user: "root", name: "f1", id: id("M-0000"), ...info };
    stage.agent("a2", { id: "M-S0", tasks: [report], frameworks: [framework], ip: "a1" });
    return stage;
  }

  test("gives a framework that knows partitions its task back", () => {
    const stage = healed(partitionAware);
    expect(statusesIn(stage.tape, "f1")).toMatchObject([
      { state: "TASK_RUNNING", reason: "REASON_SLAVE_REREGISTERED" },
    ]);
    expect(agentOf(stage).used.scalar("cpus")).toBe(1);
  });

  test("kills the task of one that was told it was lost", () => {
    const stage = healed({ failover_timeout: 60 });
    expect(commandsTo(stage.tape, "a2").map(({ type }) => type)).toEqual(["REGISTERED", "KILL"]);
  });
});

describe("frameworks", () => {
  test("without a failover timeout are removed with their tasks, which hold their resources to the end", () => {
    const stage = launched();
    stage.happen({ is: "stream-closed", stream: "f1" });
    expect(commandsTo(stage.tape, "a1")).toMatchObject([{ type: "SHUTDOWN_FRAMEWORK" }]);
    expect(agentOf(stage).used.scalar("cpus")).toBe(1);
    stage.update("a1", "M-0000", { taskId: "t1", state: "TASK_KILLED", uuid: "u2" });
    expect(commandsTo(stage.tape, "a1").at(-1)).toMatchObject({ type: "ACKNOWLEDGE", uuid: "u2" });
    expect(agentOf(stage).used.isEmpty).toBe(true);
    expect(agentOf(stage).tasks.size).toBe(0);
    const [gone] = stage.core.state.completedFrameworks;
    expect([gone?.tasks.size, [...(gone?.completedTasks ?? [])].map(({ state }) => state)]).toEqual([
      0,
      ["TASK_KILLED"],
    ]);
  });

  test("with one may come back in time, on a new stream that ends the old", () => {
    const stage = launched(partitionAware);
    stage.happen({ is: "stream-closed", stream: "f1" });
    stage.tick(59_000);
    stage.framework("f2", { ...partitionAware, id: id("M-0000") });
    expect(eventsTo(stage.tape, "f2")).toMatchObject([
      { type: "SUBSCRIBED", subscribed: { framework_id: { value: "M-0000" } } },
    ]);
    stage.framework("f3", { ...partitionAware, id: id("M-0000") });
    expect(eventsTo(stage.tape, "f2").at(-1)).toEqual({
      type: "ERROR",
      error: { message: "Framework failed over" },
    });
    expect(stage.tape).toContainEqual({ do: "close-stream", stream: "f2" });
    stage.happen({ is: "stream-closed", stream: "f2" });
    stage.tick(120_000);
    expect(stage.core.state.frameworks.get("M-0000")?.stream).toBe("f3");
  });

  test.each(["../../../etc", "..", "a\0b"])("of the id %j are refused: agents make folders of it", (name) => {
    const stage = new Stage();
    const answer = stage.framework("f1", { id: id(name) });
    expect(answer).toMatchObject({
      status: 400,
      message: `Framework ID '${name}' contains invalid characters`,
    });
    expect(stage.core.state.frameworks.size).toBe(0);
  });

  test("that were removed cannot subscribe again", () => {
    const stage = launched();
    stage.happen({ is: "operator", request: { want: "teardown", frameworkId: "M-0000" } });
    stage.framework("f2", { id: id("M-0000") });
    expect(eventsTo(stage.tape, "f2")).toEqual([
      { type: "ERROR", error: { message: "Framework has been removed" } },
    ]);
  });

  test.each([
    ["an unknown framework", undefined, "M-0009", 400],
    ["another stream", "f9", "M-0000", 400],
    ["no stream", undefined, "M-0000", 400],
    ["the right stream", "f1", "M-0000", 202],
  ])("a call from %s", (_name, stream, frameworkId, status) => {
    const { stage } = running();
    const answer = stage.happen({
      is: "call",
      stream,
      call: { type: "REVIVE", framework_id: id(frameworkId) },
    });
    expect(answer.status).toBe(status);
  });

  test("a call before subscribing is forbidden", () => {
    const stage = launched(partitionAware);
    stage.happen({ is: "stream-closed", stream: "f1" });
    expect(stage.call("f1", { type: "REVIVE", framework_id: id("M-0000") }).status).toBe(403);
  });
});

describe("reconciliation", () => {
  const ask = (stage: Stage, tasks: { task_id: { value: string }; agent_id?: { value: string } }[]) => {
    stage.take();
    stage.call("f1", { type: "RECONCILE", framework_id: id("M-0000"), reconcile: { tasks } });
    return statusesIn(stage.tape, "f1");
  };

  test("an empty list asks for all", () => {
    expect(ask(launched(), [])).toMatchObject([
      { task_id: { value: "t1" }, state: "TASK_RUNNING", reason: "REASON_RECONCILIATION" },
    ]);
  });

  test.each([
    [{}, "TASK_LOST"],
    [partitionAware, "TASK_UNKNOWN"],
  ])("%j: an unknown task is %s", (info, state) => {
    expect(ask(launched(info), [{ task_id: id("t9") }])).toMatchObject([{ state }]);
  });

  test("an unknown task of a registered agent is gone", () => {
    expect(ask(launched(partitionAware), [{ task_id: id("t9"), agent_id: id("M-S0") }])).toMatchObject([
      { state: "TASK_GONE" },
    ]);
  });

  test("nothing is said while an agent of before may still bring it", () => {
    const stage = new Stage({
      records: [{ id: "O", hostname: "h", ip: "1", port: 1, standing: "admitted", since: 5 }],
    });
    stage.framework("f1", partitionAware);
    expect(ask(stage, [{ task_id: id("t9"), agent_id: id("O") }, { task_id: id("t8") }])).toEqual([]);
  });
});

describe("after a change of leaders", () => {
  test("the agents bring back the frameworks and tasks", () => {
    const stage = new Stage({
      records: [{ id: "Old-S1", hostname: "h", ip: "1", port: 1, standing: "admitted", since: 5 }],
    });
    const report = {
      framework_id: id("Old-0000"),
      info: taskOn(undefined, "t1"),
      state: "TASK_RUNNING" as const,
      statuses: [],
    };
    stage.agent("a1", {
      id: "Old-S1",
      tasks: [report],
      frameworks: [{ user: "r", name: "f", id: id("Old-0000"), ...partitionAware }],
    });
    expect(stage.core.state.awaited.size).toBe(0);
    expect(agentOf(stage, "Old-S1").used.scalar("cpus")).toBe(1);
    stage.framework("f1", { ...partitionAware, id: id("Old-0000") });
    stage.call("f1", { type: "RECONCILE", framework_id: id("Old-0000"), reconcile: { tasks: [] } });
    expect(statusesIn(stage.tape, "f1")).toMatchObject([{ state: "TASK_RUNNING" }]);
  });
});

test("what is offered, used and free is always the whole agent", () => {
  const stage = launched();
  stage.tick(10_000);
  const agent = agentOf(stage);
  const sum = agent.used.plus(agent.offered).plus(freeOf(agent));
  expect(sum.equals(agent.total)).toBe(true);
  expect(sum).not.toBe(Resources.none);
});
