import { describe, expect, test } from "vitest";
import { id } from "../../../../src/scheduler/mesos/protocol/wire.ts";
import { offersIn, Stage, taskOn } from "./stage.ts";

const decline = (stage: Stage, stream: string, frameworkId: string, refuse_seconds?: number) =>
  stage.call(stream, {
    type: "DECLINE",
    framework_id: id(frameworkId),
    decline: {
      offer_ids: offersIn(stage.take(), stream).map((offer) => offer.id),
      ...(refuse_seconds === undefined ? {} : { filters: { refuse_seconds } }),
    },
  });

describe("offers", () => {
  test("one event carries the offers of many agents", () => {
    const stage = new Stage();
    for (const name of ["a1", "a2", "a3"]) stage.agent(name);
    stage.framework("f1");
    stage.tick();
    expect(
      stage.tape.filter((action) => action.do === "send-event" && action.event.type === "OFFERS"),
    ).toHaveLength(1);
    expect(
      offersIn(stage.tape, "f1")
        .map((offer) => offer.agent_id.value)
        .sort(),
    ).toEqual(["M-S0", "M-S1", "M-S2"]);
  });

  test("a declined offer comes again after its time, 5 s unless said otherwise", () => {
    const stage = new Stage();
    stage.agent("a1");
    stage.framework("f1");
    stage.tick();
    decline(stage, "f1", "M-0000");
    stage.tick(4_900);
    expect(offersIn(stage.tape, "f1")).toEqual([]);
    stage.tick(400);
    expect(offersIn(stage.tape, "f1")).toHaveLength(1);
    decline(stage, "f1", "M-0000", 60);
    stage.tick(30_000);
    expect(offersIn(stage.tape, "f1")).toEqual([]);
  });

  test("a long decline ends when it was to end, however often it is looked at", () => {
    const stage = new Stage({ settings: { maxAgentPingTimeouts: 1_000 } });
    stage.agent("a1");
    stage.framework("f1");
    stage.tick();
    decline(stage, "f1", "M-0000", 600);
    for (let second = 0; second < 599; second++) stage.tick(1_000);
    expect(offersIn(stage.tape, "f1")).toEqual([]);
    stage.tick(2_000);
    expect(offersIn(stage.tape, "f1")).toHaveLength(1);
  });

  test("revive brings it at once, suppress keeps it away", () => {
    const stage = new Stage();
    stage.agent("a1");
    stage.framework("f1");
    stage.tick();
    decline(stage, "f1", "M-0000", 600);
    stage.call("f1", { type: "SUPPRESS", framework_id: id("M-0000") });
    stage.tick(700_000 % 14_000);
    expect(offersIn(stage.tape, "f1")).toEqual([]);
    stage.call("f1", { type: "REVIVE", framework_id: id("M-0000") });
    stage.tick();
    expect(offersIn(stage.tape, "f1")).toHaveLength(1);
  });

  test("the framework with the smaller dominant share is served first", () => {
    const stage = new Stage();
    stage.agent("a1", { resources: "cpus:4;mem:4096" });
    stage.framework("f1");
    stage.tick();
    const [offer] = offersIn(stage.tape, "f1");
    stage.accept("f1", offer === undefined ? [] : [offer], [taskOn(offer, "t", "cpus:4;mem:4096")]);
    stage.framework("f2");
    stage.take();
    stage.agent("a2", { resources: "cpus:4;mem:4096" });
    stage.tick();
    expect(offersIn(stage.tape, "f2")).toHaveLength(1);
    expect(offersIn(stage.tape, "f1")).toEqual([]);
  });

  test("a role's weight counts", () => {
    const stage = new Stage({ settings: { roleWeights: { big: 10 } } });
    for (let index = 0; index < 11; index++) stage.agent(`a${index}`);
    stage.framework("f1", { role: "big" });
    stage.framework("f2", { role: "small" });
    stage.tick();
    expect(offersIn(stage.tape, "f1")).toHaveLength(10);
    expect(offersIn(stage.tape, "f2")).toHaveLength(1);
  });

  test("reserved resources are for their role alone", () => {
    const stage = new Stage();
    stage.agent("a1", { resources: "cpus(web):2;mem(web):64;cpus:1;mem:64" });
    stage.framework("f1", { role: "other" });
    stage.tick();
    expect(offersIn(stage.tape, "f1")[0]?.resources).toMatchObject([
      { name: "cpus", scalar: { value: 1 } },
      { name: "mem" },
    ]);
    stage.framework("f2", { role: "web" });
    stage.tick();
    expect(offersIn(stage.tape, "f2")[0]?.resources).toMatchObject([
      { name: "cpus", role: "web" },
      { name: "mem", role: "web" },
    ]);
  });

  test("too little is not offered", () => {
    const stage = new Stage();
    stage.agent("a1", { resources: "cpus:0.009;mem:31" });
    stage.framework("f1");
    stage.tick();
    expect(offersIn(stage.tape, "f1")).toEqual([]);
  });

  test("an agent that goes away takes its offers along", () => {
    const stage = new Stage();
    stage.agent("a1");
    stage.framework("f1");
    stage.tick();
    const [offer] = offersIn(stage.take(), "f1");
    stage.happen({ is: "agent-closed", session: "a1" });
    expect(stage.tape).toContainEqual({
      do: "send-event",
      stream: "f1",
      event: { type: "RESCIND", rescind: { offer_id: offer?.id } },
    });
  });

  test("offers that nobody answers are withdrawn after offer_timeout", () => {
    const stage = new Stage({ settings: { offerTimeoutMs: 10_000 } });
    stage.agent("a1");
    stage.framework("f1");
    stage.tick();
    stage.take();
    stage.tick(10_000);
    expect(stage.tape.map((action) => (action.do === "send-event" ? action.event.type : action.do))).toEqual([
      "RESCIND",
      "OFFERS",
    ]);
  });

  test("a framework of several roles is told which role an offer is for", () => {
    const stage = new Stage();
    stage.agent("a1");
    stage.framework("f1", {
      roles: ["x"],
      capabilities: [{ type: "MULTI_ROLE" }, { type: "RESERVATION_REFINEMENT" }],
    });
    stage.tick();
    const [offer] = offersIn(stage.tape, "f1");
    expect(offer?.allocation_info).toEqual({ role: "x" });
    expect(offer?.resources[0]).toMatchObject({ allocation_info: { role: "x" } });
    expect(offer?.resources[0]).not.toHaveProperty("role");
  });
});
