import { describe, expect, test } from "vitest";
import {
  type AgentState,
  defaultAgentSettings,
  newAgentState,
} from "../../../../src/scheduler/mesos/agent/agent-state.ts";
import { decide, helloOf } from "../../../../src/scheduler/mesos/agent/decide.ts";
import type { AgentAction, AgentEvent, Ending } from "../../../../src/scheduler/mesos/agent/turn.ts";
import type { AgentCommand } from "../../../../src/scheduler/mesos/protocol/agent-link.ts";
import { masterInfo } from "../../../../src/scheduler/mesos/protocol/master-info.ts";
import { parseResources } from "../../../../src/scheduler/mesos/protocol/resources.ts";
import { id } from "../../../../src/scheduler/mesos/protocol/wire.ts";

class Desk {
  readonly state: AgentState = newAgentState({ ...defaultAgentSettings, maxCompletedTasks: 3 });
  now = 1_000_000;
  tape: AgentAction[] = [];
  #uuids = 0;

  happen(event: AgentEvent): AgentAction[] {
    const actions = decide(this.state, event, {
      now: this.now,
      newUuid: () => `uuid${String(++this.#uuids).padStart(28, "0")}`,
      directoryOf: (_framework, taskId) => `/sandbox/${taskId}`,
    });
    this.tape.push(...actions);
    return [...actions];
  }

  command(command: AgentCommand): AgentAction[] {
    return this.happen({ is: "command", session: this.state.session ?? "?", command });
  }

  link(session = "s1"): AgentAction[] {
    this.happen({ is: "linked", session });
    return this.command({
      type: "REGISTERED",
      agent_id: id("A"),
      master_info: masterInfo({ id: "M", hostname: "m", ip: "1.1.1.1", port: 1 }),
      silence_limit_ms: 75_000,
    });
  }

  launch(taskId: string): AgentAction[] {
    const task = {
      name: taskId,
      task_id: id(taskId),
      agent_id: id("A"),
      resources: parseResources("cpus:1").toWire(),
      command: { value: "x" },
    };
    return this.command({
      type: "LAUNCH",
      framework: { user: "u", name: "f", id: id("F"), capabilities: [{ type: "TASK_KILLING_STATE" }] },
      task,
    });
  }

  container(taskId: string) {
    const task = this.state.tasks.get(`F\0${taskId}`);
    return { key: `F\0${taskId}`, containerId: task?.containerId ?? "?" };
  }

  started(taskId: string): AgentAction[] {
    return this.happen({ is: "started", ...this.container(taskId), containerStatus: {} });
  }

  ended(taskId: string, ending: Ending): AgentAction[] {
    return this.happen({ is: "ended", ...this.container(taskId), ending });
  }

  kill(taskId: string, graceMs?: number): AgentAction[] {
    const policy =
      graceMs === undefined ? {} : { kill_policy: { grace_period: { nanoseconds: graceMs * 1e6 } } };
    return this.command({ type: "KILL", framework_id: id("F"), task_id: id(taskId), ...policy });
  }

  /** Acknowledges all news of a task, one by one. */
  acknowledgeAll(taskId: string): void {
    for (let news = this.#news(taskId); news !== undefined; news = this.#news(taskId))
      this.command({ type: "ACKNOWLEDGE", framework_id: id("F"), task_id: id(taskId), uuid: news });
  }

  #news(taskId: string): string | undefined {
    return this.state.tasks.get(`F\0${taskId}`)?.unacknowledged[0]?.uuid;
  }
}

const kinds = (actions: readonly AgentAction[]): string[] => actions.map((action) => action.do);
const sent = (actions: readonly AgentAction[]): string[] =>
  actions.flatMap((action) =>
    action.do === "send" && action.message.type === "UPDATE" ? [action.message.status.state] : [],
  );

const linked = (): Desk => {
  const desk = new Desk();
  desk.link();
  return desk;
};

describe("a launch", () => {
  test("is written down before it is begun", () => {
    expect(kinds(linked().launch("t1"))).toEqual(["keep-framework", "keep-task", "send", "start", "log"]);
  });

  test("that is repeated never starts a second time, running or over", () => {
    const desk = linked();
    desk.launch("t1");
    expect(kinds(desk.launch("t1"))).toEqual(["log"]);
    desk.ended("t1", { exitCode: 0 });
    desk.acknowledgeAll("t1");
    expect(desk.state.tasks.size).toBe(0);
    expect(kinds(desk.launch("t1"))).toEqual(["log"]);
  });

  test("is remembered for a few tasks that are over, not for all that ever were", () => {
    const desk = linked();
    for (const taskId of ["t1", "t2", "t3", "t4"]) {
      desk.launch(taskId);
      desk.ended(taskId, { exitCode: 0 });
      desk.acknowledgeAll(taskId);
    }
    expect([...desk.state.completed.keys()]).toEqual(["F\0t2", "F\0t3", "F\0t4"]);
  });

  test("on an ended stream is not carried out", () => {
    const desk = linked();
    desk.happen({ is: "linked", session: "s2" });
    const task = { name: "t", task_id: id("t"), agent_id: id("A"), resources: [] };
    expect(
      desk.happen({
        is: "command",
        session: "s1",
        command: { type: "LAUNCH", framework: { user: "", name: "" }, task },
      }),
    ).toEqual([]);
  });
});

describe("news", () => {
  test("go one at a time, in order, and say where the task is by now", () => {
    const desk = linked();
    desk.launch("t1");
    expect(sent(desk.started("t1"))).toEqual([]);
    desk.ended("t1", { exitCode: 0 });
    desk.tape = [];
    desk.acknowledgeAll("t1");
    expect(sent(desk.tape)).toEqual(["TASK_RUNNING", "TASK_FINISHED"]);
    expect(desk.tape.find((action) => action.do === "send")).toMatchObject({
      message: { latest_state: "TASK_FINISHED" },
    });
  });

  test("of a health check that flaps while nobody listens do not pile up, and the newest is told", () => {
    const desk = linked();
    desk.launch("t1");
    desk.started("t1");
    for (let turn = 0; turn < 1_001; turn++)
      desk.happen({ is: "health", ...desk.container("t1"), healthy: turn % 2 === 1, killAsUnhealthy: false });
    expect(desk.state.tasks.get("F\0t1")?.unacknowledged).toHaveLength(2);
    desk.ended("t1", { exitCode: 0 });
    desk.tape = [];
    desk.acknowledgeAll("t1");
    expect(desk.tape.flatMap((action) => (action.do === "send" ? [action.message] : []))).toMatchObject([
      { status: { state: "TASK_RUNNING", healthy: false } },
      { status: { state: "TASK_FINISHED" } },
    ]);
  });

  test("are repeated after 10 s, then at doubled intervals up to 10 minutes", () => {
    const desk = linked();
    desk.launch("t1");
    const times: number[] = [];
    for (let second = 1; second <= 3000; second++) {
      desk.now += 1000;
      if (sent(desk.happen({ is: "tick" })).length > 0) times.push(second);
    }
    expect(times).toEqual([10, 30, 70, 150, 310, 630, 1230, 1830, 2430]);
  });

  test("are told to a new master at once", () => {
    const desk = linked();
    desk.launch("t1");
    desk.happen({ is: "unlinked", session: "s1" });
    desk.now += 100_000;
    expect(sent(desk.happen({ is: "tick" }))).toEqual([]);
    expect(sent(desk.link("s2"))).toEqual(["TASK_STARTING"]);
  });

  test("that were acknowledged end with the task, and its framework's last", () => {
    const desk = linked();
    desk.launch("t1");
    desk.ended("t1", { exitCode: 1 });
    desk.tape = [];
    desk.acknowledgeAll("t1");
    expect(kinds(desk.tape).filter((kind) => kind.startsWith("forget"))).toEqual([
      "forget-task",
      "forget-framework",
    ]);
  });
});

test.each([
  [{ exitCode: 0 }, "TASK_FINISHED", "Command exited with status 0"],
  [{ exitCode: 2 }, "TASK_FAILED", "Command exited with status 2"],
  [{ signal: "Killed" }, "TASK_FAILED", "Command terminated with signal Killed"],
  [{ problem: "no image", reason: "R" }, "TASK_FAILED", "no image"],
])("an end by %j is %s", (ending, state, message) => {
  const desk = linked();
  desk.launch("t1");
  desk.started("t1");
  desk.ended("t1", ending);
  expect(desk.state.tasks.get("F\0t1")?.statuses.at(-1)).toMatchObject({ state, message });
});

describe("a kill", () => {
  test("asks first, and ends it after the grace period", () => {
    const desk = linked();
    desk.launch("t1");
    desk.started("t1");
    expect(desk.kill("t1", 5000)).toContainEqual(
      expect.objectContaining({ do: "stop", hard: false, graceMs: 5000 }),
    );
    desk.now += 4999;
    expect(kinds(desk.happen({ is: "tick" }))).not.toContain("stop");
    desk.now += 1;
    expect(desk.happen({ is: "tick" })).toContainEqual(expect.objectContaining({ do: "stop", hard: true }));
    desk.ended("t1", { signal: "Killed" });
    expect(desk.state.tasks.get("F\0t1")?.statuses.map(({ state }) => state)).toEqual([
      "TASK_STARTING",
      "TASK_RUNNING",
      "TASK_KILLING",
      "TASK_KILLED",
    ]);
  });

  test("that is repeated changes nothing, unless it is more urgent", () => {
    const desk = linked();
    desk.launch("t1");
    desk.started("t1");
    desk.kill("t1", 5000);
    expect(kinds(desk.kill("t1", 5000))).toEqual([]);
    expect(kinds(desk.kill("t1", 1000))).toEqual(["stop"]);
  });
});

test("an agent that was given up kills everything and starts anew as a stranger", () => {
  const desk = linked();
  desk.launch("t1");
  desk.started("t1");
  expect(kinds(desk.command({ type: "SHUTDOWN", message: "gone" }))).toContain("stop");
  expect(desk.state.agentId).toBe("A");
  desk.ended("t1", { signal: "Terminated" });
  expect(kinds(desk.happen({ is: "tick" }))).toEqual(["keep-agent-id", "relink"]);
  const info = { hostname: "h", ip: "1", port: 1, resources: [], attributes: [], version: "1" };
  expect(helloOf(desk.state, info, "b", 1)).toEqual({
    boot: "b",
    attempt: 1,
    info,
    tasks: [],
    frameworks: [],
  });
});

test("the hello tells everything that runs, without the command's secrets", () => {
  const desk = linked();
  desk.launch("t1");
  desk.started("t1");
  const info = { hostname: "h", ip: "1", port: 1, resources: [], attributes: [], version: "1" };
  const hello = helloOf(desk.state, info, "b", 2);
  expect(hello).toMatchObject({
    agent_id: id("A"),
    tasks: [{ framework_id: id("F"), state: "TASK_RUNNING" }],
    frameworks: [{ name: "f" }],
  });
  expect(hello.tasks[0]?.info).not.toHaveProperty("command");
});
