import { describe, expect, test } from "vitest";
import { AnswerStore, Epoch, questionKey } from "../../../src/provisioning/engine/answer-store.ts";
import type { Answer, Question } from "../../../src/provisioning/host/question.ts";

const path: Question = { of: "path", path: "/etc/x", want: ["stat"] };
const unit: Question = { of: "unit", name: "cron" };
const absent: Answer = { of: "path", value: { stat: { exists: false } } };
const group: Answer = { of: "group", value: { exists: true } };

function storeWith(question: Question, answer: Answer): AnswerStore {
  const store = new AnswerStore(10_000);
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
    const alias = new AnswerStore(10_000);
    const shared = new Epoch();
    store.share(shared);
    alias.share(shared);
    store.keep(questionKey(path, "root"), { answer: absent, epoch: store.epoch, atMs: 1_000 });
    alias.bump();
    expect(store.find(questionKey(path, "root"), path, 1_000)).toBeUndefined();
  });

  test("what was asked before a step and answered after it is not kept", () => {
    const store = new AnswerStore(10_000);
    const epoch = store.epoch;
    store.bump();
    store.keep(questionKey(path, "root"), { answer: absent, epoch, atMs: 1_000 });
    expect(store.find(questionKey(path, "root"), path, 1_000)).toBeUndefined();
  });

  test("services age, files do not (R6)", () => {
    const files = storeWith(path, absent);
    expect(files.find(questionKey(path, "root"), path, 100_000)).toBe(absent);
    const services = storeWith(unit, group);
    expect(services.find(questionKey(unit, "root"), unit, 11_000)).toBe(group);
    expect(services.find(questionKey(unit, "root"), unit, 11_001)).toBeUndefined();
  });

  test("a pause makes services stale at once", () => {
    const store = storeWith(unit, group);
    store.expireVolatile(2_000);
    expect(store.find(questionKey(unit, "root"), unit, 2_000)).toBeUndefined();
  });
});
