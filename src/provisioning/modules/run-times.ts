/** start, end and delta of a run, by the host's own clock: local times as Python writes them. */
import type { JsonObject } from "../../base/json.ts";
import type { StepResult } from "../host/step.ts";

/** What a host's `date` says; not every one knows %N. */
const clockText = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{6})?/;

export function runTimes(clock: StepResult["clock"]): JsonObject {
  const start = clockText.exec(clock?.start ?? "");
  const end = clockText.exec(clock?.end ?? "");
  if (start === null || end === null) return {};
  return {
    start: shownTime(start),
    end: shownTime(end),
    delta: shownDelta(Math.max(0, microsOf(end) - microsOf(start))),
  };
}

const shownTime = ([, seconds = "", micros = "000000"]: RegExpExecArray): string => `${seconds}.${micros}`;

const microsOf = ([, seconds = "", micros = "0"]: RegExpExecArray): number =>
  Date.parse(`${seconds.replace(" ", "T")}Z`) * 1000 + Number(micros);

/** 0:00:01.250000, 1 day, 2:03:04.000000 */
export function shownDelta(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000);
  const days = Math.floor(seconds / 86_400);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = `${Math.floor(seconds / 3600) % 24}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = String(Math.round(micros % 1_000_000)).padStart(6, "0");
  return `${days === 0 ? "" : `${days} day${days === 1 ? "" : "s"}, `}${time}.${fraction}`;
}
