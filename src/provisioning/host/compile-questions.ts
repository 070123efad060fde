/**
 * This folder knows what can be asked of a host and done to it, and the sh behind each; it is pure, and runs nothing.
 *
 * Questions of many tasks go in, one script comes out; its output goes in, one answer a question comes out:
 * compileQuestions → (a frame of transport/) → readAnswers. A step becomes a script by compileStep, its result is read
 * by readStepResult. Facts work the same way. Nonces come from the caller or from a secure random source, never from
 * the host. How bytes travel, and when to ask, is not decided here.
 */
import { randomBytes } from "node:crypto";
import { accountScript } from "./ask-accounts.ts";
import { packageScript } from "./ask-packages.ts";
import { pathScript } from "./ask-paths.ts";
import { scriptScript } from "./ask-scripts.ts";
import { unitScript } from "./ask-units.ts";
import type { Question } from "./question.ts";
import { sectionPrologue } from "./sections.ts";

export interface HostScript {
  readonly script: string;
  readonly stdin?: Uint8Array;
}

export interface Grouped {
  readonly paths: readonly Extract<Question, { of: "path" }>[];
  readonly packages: readonly Extract<Question, { of: "package" }>[];
  readonly units: readonly Extract<Question, { of: "unit" }>[];
  readonly accounts: readonly Extract<Question, { of: "user" | "group" }>[];
  readonly scripts: readonly Extract<Question, { of: "script" }>[];
}

export function groupQuestions(questions: readonly Question[]): Grouped {
  return {
    paths: questions.filter((q) => q.of === "path"),
    packages: questions.filter((q) => q.of === "package"),
    units: questions.filter((q) => q.of === "unit"),
    accounts: questions.filter((q): q is Grouped["accounts"][number] => q.of === "user" || q.of === "group"),
    scripts: questions.filter((q) => q.of === "script"),
  };
}

/** 128 bits that no output of a host can hold by chance or by guess. */
export const newNonce = (): string => randomBytes(16).toString("hex");

/** Programs of the system stand in sbin, which a login user's PATH often lacks. */
const sbin = 'PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"';

/**
 * One script for all questions but `tcp` and `http`, which the session answers itself. It changes nothing, prints
 * sections on both streams, and exits 0.
 */
export function compileQuestions(questions: readonly Question[], nonce = newNonce()): HostScript {
  const { paths, packages, units, accounts, scripts } = groupQuestions(questions);
  const parts = [`${sbin}\n${sectionPrologue(nonce)}`];
  if (paths.length > 0) parts.push(pathScript(paths));
  if (packages.length > 0) parts.push(packageScript(packages));
  if (units.length > 0) parts.push(unitScript(units));
  if (accounts.length > 0) parts.push(accountScript(accounts));
  if (scripts.length > 0) parts.push(scriptScript(scripts));
  parts.push("m end", "m end >&2", "exit 0");
  return { script: parts.join("\n") };
}
