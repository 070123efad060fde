/** A step that failed, as it is shown and registered. */
import type { JsonObject } from "../../base/json.ts";
import type { Step, StepResult } from "../host/step.ts";
import { outputResult } from "../modules/answers.ts";
import type { ShownFailure } from "./events.ts";
import { limits } from "./limits.ts";

export interface Taken {
  readonly step: Step;
  readonly result: StepResult;
}

export function stepFailure({ step, result }: Taken): ShownFailure {
  const isSecret = step.do === "run" && step.secret === true;
  const message = `Cannot ${step.why}`;
  if (isSecret) return { message: `${message}: its output is hidden`, code: result.code };
  return {
    message,
    code: result.code,
    ...(step.do === "run" ? { argv: step.argv } : {}),
    stderr: lastLines(result.stderr),
    stdout: lastLines(result.stdout),
  };
}

function lastLines(bytes: Uint8Array): string {
  const lines = new TextDecoder().decode(bytes).trimEnd().split("\n");
  return lines.slice(-limits.shownStderrLines).join("\n");
}

/** What a step that failed printed, for conditions on a result that tells none of it. */
export function failureResult({ code, stdout, stderr }: ShownFailure): JsonObject {
  if (code === undefined) return {};
  return stdout === undefined || stderr === undefined ? { rc: code } : outputResult({ code, stdout, stderr });
}

export const messageOf = ({ message, stderr = "" }: ShownFailure, { rc }: JsonObject): string =>
  rc !== undefined ? "non-zero return code" : stderr === "" ? message : `${message}: ${stderr}`;
