/** A host for tests: modules' questions and steps on a real sh of this machine, or of a container. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { JsonObject } from "../../../src/base/json.ts";
import { compileQuestions } from "../../../src/provisioning/host/compile-questions.ts";
import { compileStep, readStepResult } from "../../../src/provisioning/host/compile-step.ts";
import type { HostFacts } from "../../../src/provisioning/host/facts.ts";
import type { Answers, Question } from "../../../src/provisioning/host/question.ts";
import { readAnswers } from "../../../src/provisioning/host/read-answers.ts";
import type { Step, StepResult } from "../../../src/provisioning/host/step.ts";
import { loadModule } from "../../../src/provisioning/modules/index.ts";
import type { ModuleContext, Plan, SourceAnswer } from "../../../src/provisioning/modules/module.ts";

export interface Ran {
  readonly changed: boolean;
  readonly fail: string | undefined;
  readonly steps: readonly string[];
  readonly diffs: Plan["diffs"];
  readonly result: JsonObject;
}

interface LocalHostOptions {
  /** What runs a script given on its stdin: ["dash"], ["docker", "exec", "-i", …, "sh"]. */
  readonly shell: readonly string[];
  readonly facts: HostFacts;
}

interface Output {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

const runLimitMs = 120_000;

export class LocalHost {
  readonly #shell: readonly string[];
  readonly #facts: HostFacts;

  constructor(options: LocalHostOptions) {
    this.#shell = options.shell;
    this.#facts = options.facts;
  }

  /** The script as an argument of sh -c, so that its stdin is the step's own. */
  sh(script: string, stdin?: Uint8Array): Promise<Output> {
    const [program = "sh", ...words] = this.#shell;
    return new Promise((resolve, reject) => {
      const child = spawn(program, [...words, "-c", script], { timeout: runLimitMs });
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
      child.on("error", reject);
      child.on("close", (code) =>
        resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err) }),
      );
      child.stdin.on("error", () => undefined);
      child.stdin.end(stdin ?? new Uint8Array());
    });
  }

  async ask(questions: readonly Question[]): Promise<Answers> {
    if (questions.length === 0) return [];
    const { script } = compileQuestions(questions);
    return readAnswers(await this.sh(script), questions);
  }

  async act(step: Step): Promise<StepResult> {
    if (step.do !== "run" && step.do !== "write") throw new Error(`not for this host: ${step.do}`);
    const compiled = compileStep(step);
    const { from } = compiled.stream ?? {};
    const stdin = typeof from === "string" ? await readFile(from) : from;
    const output = await this.sh(compiled.script, compiled.stdin ?? stdin);
    return readStepResult(step, { ...output, timedOut: false, elapsedMs: 1 });
  }

  async run(name: string, given: JsonObject, sources: readonly SourceAnswer[] = []): Promise<Ran> {
    const module = await loadModule(name);
    if (module.kind !== "host") throw new Error(`"${name}" does not act on a host`);
    const args: unknown = module.args.parse(given);
    const taken: { step: Step; result: StepResult }[] = [];
    const diffs: Plan["diffs"][number][] = [];
    let changed = false;
    for (let round = 0; round < 5; round++) {
      const context: ModuleContext = {
        host: "here",
        facts: this.#facts,
        check: false,
        diff: true,
        sources,
        now: Date.now(),
        round,
        elapsedMs: 0,
      };
      const state: unknown = module.read(await this.ask(module.ask(args, context)), args, context);
      const plan = module.plan(args, state, context);
      diffs.push(...plan.diffs);
      changed ||= plan.steps.length > 0 && plan.unchanged !== true;
      let fail = plan.fail;
      for (const step of plan.fail === undefined ? plan.steps : []) {
        const result = await this.act(step);
        taken.push({ step, result });
        if (!result.ok) fail = `${step.why}: ${result.code} ${new TextDecoder().decode(result.stderr)}`;
        if (fail !== undefined) break;
      }
      if (fail === undefined && plan.again === true) continue;
      const outcome = { changed, failed: fail !== undefined, steps: taken };
      const result = module.result?.(state, outcome, args, context) ?? {};
      return { changed, fail, steps: taken.map(({ step }) => step.why), diffs, result };
    }
    throw new Error(`"${name}" asked for too many rounds`);
  }
}

export const fileSource = (bytes: Uint8Array, mode = 0o644): SourceAnswer => ({
  kind: "file",
  bytes,
  sha256: createHash("sha256").update(bytes).digest("hex"),
  mode,
});

export const localFacts = (home: string): HostFacts => ({
  ansible: {},
  base: {
    serviceManager: "none",
    packageManager: "apt",
    uid: process.getuid?.() ?? 0,
    user: process.env.USER ?? "root",
    home,
    machine: "x86_64",
  },
});
