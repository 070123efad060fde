import { expect, test } from "vitest";
import type { MasterCore } from "../../../../src/scheduler/mesos/master/decide.ts";
import { id } from "../../../../src/scheduler/mesos/protocol/wire.ts";
import { offersIn, partitionAware, Stage, taskOn } from "./stage.ts";

/** How many entries all maps, sets and lists below it hold. */
function entriesBelow(value: unknown, seen = new Set<unknown>()): number {
  if (typeof value !== "object" || value === null || seen.has(value)) return 0;
  seen.add(value);
  const isList = Symbol.iterator in value;
  const inner = isList ? [...(value as Iterable<unknown>)] : Object.values(value);
  return inner.reduce<number>((sum, each) => sum + entriesBelow(each, seen), isList ? inner.length : 0);
}

const held = ({ state, allocator }: MasterCore): number => entriesBelow(state) + allocator.size;

const aYear = 365 * 86_400;

/** A framework comes, uses an agent, declines, and goes; the agent moves, and is lost. */
function live(stage: Stage, lap: number): void {
  const [stream, agent] = [`f${lap}`, `a${lap}`];
  const frameworkId = `M-${String(lap).padStart(4, "0")}`;
  stage.agent(agent);
  stage.agent(`${agent}, moved`, { id: `M-S${lap}` });
  stage.framework(stream, lap % 2 === 0 ? partitionAware : {});
  stage.tick();
  const [offer] = offersIn(stage.take(), stream);
  if (offer === undefined) throw new Error(`lap ${lap}: no offer`);
  stage.accept(stream, [offer], [taskOn(offer, "done"), taskOn(offer, "running")]);
  stage.update(`${agent}, moved`, frameworkId, { taskId: "done", state: "TASK_FINISHED" });
  stage.acknowledge(stream, frameworkId, `M-S${lap}`, "done", "u-TASK_FINISHED");
  for (let round = 0; round < 5; round++) {
    stage.call(stream, { type: "REVIVE", framework_id: id(frameworkId) });
    stage.tick(1_000);
    const offer_ids = offersIn(stage.take(), stream).map((each) => each.id);
    const filters = { refuse_seconds: aYear };
    stage.call(stream, { type: "DECLINE", framework_id: id(frameworkId), decline: { offer_ids, filters } });
  }
  stage.happen({ is: "agent-closed", session: `${agent}, moved` });
  for (let ping = 0; ping < 7; ping++) stage.tick(15_000);
  stage.happen({ is: "stream-closed", stream });
  stage.take();
}

test("a master that lives for a year remembers no more than one that lives for a day", () => {
  const stage = new Stage({
    settings: { maxCompletedFrameworks: 2, maxCompletedTasksPerFramework: 3, maxLostAgents: 4 },
  });
  let lap = 0;
  const after = (laps: number): number => {
    for (const end = lap + laps; lap < end; lap++) live(stage, lap);
    return held(stage.core);
  };
  const early = after(20);
  expect(early).toBeGreaterThan(20);
  expect(after(60)).toBe(early);
});
