import { describe, expect, test } from "vitest";
import { AnswerStore, Epoch, questionKey } from "../../../src/provisioning/engine/answer-store.ts";
import type { Answer, Question } from "../../../src/provisioning/host/question.ts";

const path: Question = { of: "path", path: "/etc/x", want: ["stat"] };
const ages = { volatileMs: 10_000, steadyMs: 60_000 };
const unit: Question = { of: "unit", name: "cron" };
const absent: Answer = { of: "path", value: { stat: { exists: false } } };
const group: Answer = { of: "group", value: { exists: true } };

function storeWith(question: Question, answer: Answer): AnswerStore {
  const store = new AnswerStore(ages);
  store.keep(questionKey(question, "root"), { answer, epoch: store.epoch, atMs: 1_000 });
  return store;
}

describe("an answer is used only while it holds", () => {
  test("another question or another identity has no answer (R0)", () => {
    const store = storeWith(path, absent);
    expect(store.find(questionKey(path, "root"), path, 1_000)).toBe(absent);
    expect(store.find(questionKey(path, "deploy"), path, 1_000)).toBeUndefined();
    expect(store.find(questionKey({ ...path, want: ["hash"] }, "root"), path, 1_000)).toBeUndefined();
  });

  test("a step makes all answers stale, by whatever name the machine was reached (R1)", () => {
    const store = storeWith(path, absent);
    const alias = new AnswerStore(ages);
    const shared = new Epoch();
    store.share(shared);
    alias.share(shared);
    store.keep(questionKey(path, "root"), { answer: absent, epoch: store.epoch, atMs: 1_000 });
    alias.bump(1_500);
    expect(store.find(questionKey(path, "root"), path, 1_000)).toBeUndefined();
  });

  test.each([
    ["since its last change holds", 1_001, absent],
    ["before or while it changed does not", 1_000, undefined],
  ])("what was asked of a machine before its other name was known, %s (R1)", (_when, atMs, found) => {
    const store = storeWith(path, absent);
    const alias = new AnswerStore(ages);
    alias.keep(questionKey(path, "root"), { answer: absent, epoch: alias.epoch, atMs });
    store.bump(1_000);
    alias.share(store.machine);
    expect(alias.find(questionKey(path, "root"), path, 1_100)).toBe(found);
    store.bump(1_200);
    expect(alias.find(questionKey(path, "root"), path, 1_300)).toBeUndefined();
  });

  test("what was asked before a step and answered after it is not kept", () => {
    const store = new AnswerStore(ages);
    const epoch = store.epoch;
    store.bump(1_500);
    store.keep(questionKey(path, "root"), { answer: absent, epoch, atMs: 1_000 });
    expect(store.find(questionKey(path, "root"), path, 1_000)).toBeUndefined();
  });

  test("services age fast, files slowly (R6)", () => {
    const files = storeWith(path, absent);
    expect(files.find(questionKey(path, "root"), path, 61_000)).toBe(absent);
    expect(files.find(questionKey(path, "root"), path, 61_001)).toBeUndefined();
    const services = storeWith(unit, group);
    expect(services.find(questionKey(unit, "root"), unit, 11_000)).toBe(group);
    expect(services.find(questionKey(unit, "root"), unit, 11_001)).toBeUndefined();
  });

  test.each([
    ["services", unit, group],
    ["files", path, absent],
  ] as const)("a pause makes what is known of %s stale at once (R6)", (_what, question, answer) => {
    const store = storeWith(question, answer);
    store.expire(2_000);
    expect(store.find(questionKey(question, "root"), question, 2_000)).toBeUndefined();
  });
});
