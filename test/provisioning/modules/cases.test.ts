import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { JsonObject, JsonValue } from "../../../src/base/json.ts";
import { shellQuote } from "../../../src/base/shell-quote.ts";
import type { Answer, Question } from "../../../src/provisioning/host/question.ts";
import type { Step } from "../../../src/provisioning/host/step.ts";
import { digestOf } from "../../../src/provisioning/modules/digest.ts";
import { loadModule } from "../../../src/provisioning/modules/index.ts";
import type {
  ControllerOutcome,
  Module,
  ModuleContext,
  Plan,
  SourceAnswer,
} from "../../../src/provisioning/modules/module.ts";
import { fileSource } from "./local-host.ts";

/**
 * A case is data: arguments, what the host answers, and what comes of it. Answers are named by their questions
 * ("path /etc/x", "package haproxy", "script 0", "http"); one that is not given says that there is nothing.
 * PROVISION_UPDATE=1 writes the outcomes anew: read the difference before you keep it.
 */
interface Case {
  readonly claim: string;
  readonly args: JsonObject;
  readonly answers?: Readonly<Record<string, JsonObject>>;
  readonly facts?: JsonObject;
  readonly check?: boolean;
  readonly round?: number;
  readonly elapsedMs?: number;
  /** The text of a file, or names and texts of the fragments in a folder. */
  readonly sources?: readonly (string | Readonly<Record<string, string>>)[];
  /** Controller modules: expression → value. */
  readonly values?: JsonObject;
  want?: JsonValue;
}

const casesDir = join(import.meta.dirname, "../../cases/modules");
const bytes = (text: string) => new TextEncoder().encode(text);
const now = Date.UTC(2026, 0, 2);

const fragments = (files: Readonly<Record<string, string>>): SourceAnswer => ({
  kind: "fragments",
  files: Object.entries(files).map(([name, text]) => ({ name, bytes: bytes(text) })),
});

function contextOf(one: Case): ModuleContext {
  const base = {
    serviceManager: "systemd",
    packageManager: "apt",
    uid: 0,
    user: "root",
    home: "/root",
    machine: "x86_64",
  } as const;
  return {
    host: "web1",
    facts: { ansible: {}, base: { ...base, ...one.facts } },
    check: one.check ?? false,
    diff: true,
    sources: (one.sources ?? []).map((given) =>
      typeof given === "string" ? fileSource(bytes(given)) : fragments(given),
    ),
    now,
    round: one.round ?? 0,
    elapsedMs: one.elapsedMs ?? 0,
  };
}

function nameOf(question: Question, scripts: { count: number }): string {
  if (question.of === "script") return `script ${scripts.count++}`;
  if (question.of === "path") return `path ${question.path}`;
  if (question.of === "http") return `http ${question.request.url}`;
  if (question.of === "tcp") return `tcp ${question.host}:${question.port}`;
  return `${question.of} ${question.name}`;
}

const stat = {
  exists: true,
  type: "file",
  mode: 0o644,
  uid: 0,
  gid: 0,
  owner: "root",
  group: "root",
  size: 0,
  mtime: 0,
  atime: 0,
  ctime: 0,
  inode: 1,
  device: 1,
  nlink: 1,
};

function pathValue(given: JsonObject | undefined): JsonObject {
  if (given === undefined) return { stat: { exists: false } };
  const { content, sha256, linkTarget, ...own } = given;
  const mode = typeof own.mode === "string" ? Number.parseInt(own.mode, 8) : (own.mode ?? stat.mode);
  return {
    stat: { ...stat, ...own, mode },
    ...(typeof content === "string"
      ? { content: bytes(content) as unknown as JsonValue, sha256: digestOf(content, "sha256") }
      : {}),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(linkTarget === undefined ? {} : { linkTarget }),
  };
}

function valueFor(question: Question, given: JsonObject | undefined): unknown {
  switch (question.of) {
    case "path":
      return pathValue(given);
    case "script":
      return {
        code: given?.code ?? 0,
        stdout: bytes(String(given?.stdout ?? "")),
        stderr: bytes(String(given?.stderr ?? "")),
      };
    case "unit":
      return {
        manager: "systemd",
        exists: given !== undefined,
        active: "inactive",
        enabled: "disabled",
        properties: {},
        ...given,
      };
    case "http":
      return {
        status: 200,
        headers: {},
        url: question.request.url,
        elapsedMs: 5,
        ...given,
        body: bytes(String(given?.body ?? "")),
      };
    case "tcp":
      return {
        open: false,
        ...given,
        ...(given?.said === undefined ? {} : { said: bytes(String(given.said)) }),
      };
    case "package":
      return { installed: given !== undefined, ...given };
    default:
      return { exists: given !== undefined, ...given };
  }
}

function answer(questions: readonly Question[], one: Case): readonly Answer[] {
  const scripts = { count: 0 };
  return questions.map((question) => {
    const name = nameOf(question, scripts);
    return { of: question.of, value: valueFor(question, one.answers?.[name]) } as Answer;
  });
}

/** Long scripts are tested by running them (law.law.test.ts): here they are only named. */
const shownWord = (word: string): string =>
  word.includes("\n") || word.length > 160 ? "…" : shellQuote(word);

function shownStep(step: Step): string {
  if (step.do === "write") {
    const text = "bytes" in step.from ? new TextDecoder().decode(step.from.bytes) : step.from.file;
    const more = [
      step.owner,
      step.group,
      step.mode,
      step.backup ? "backup" : undefined,
      step.follow === false ? "not through links" : undefined,
      step.validate,
    ];
    return (
      `write ${step.path} ${more.filter((word) => word !== undefined).join(" ")}`.trimEnd() +
      ` ${JSON.stringify(text)}`
    );
  }
  if (step.do === "run") {
    const around = [step.cwd === undefined ? "" : `in ${step.cwd}: `, step.secret === true ? "secret: " : ""];
    const stdin =
      step.stdin === undefined ? "" : ` <<< ${JSON.stringify(new TextDecoder().decode(step.stdin))}`;
    return `${around.join("")}${step.argv.map(shownWord).join(" ")}${stdin}`;
  }
  if (step.do === "fetch") return `fetch ${step.path} to ${step.to}`;
  return `reconnect after ${step.delayMs} ms, for ${step.timeoutMs} ms`;
}

const shownQuestion = (question: Question): string => {
  if (question.of === "http") {
    const { method, url, headers, body } = question.request;
    const sent = body === undefined ? "" : ` ${new TextDecoder().decode(body)}`;
    return `${method} ${url} ${JSON.stringify(headers)}${sent}`;
  }
  return nameOf(question, { count: 0 });
};

function hostOutcome(module: Module<unknown, unknown>, args: unknown, one: Case): JsonValue {
  const context = contextOf(one);
  const questions = module.ask(args, context);
  const state = module.read(answer(questions, one), args, context);
  const plan: Plan = module.plan(args, state, context);
  const failed = plan.fail !== undefined;
  const outcome = { changed: plan.steps.length > 0, failed, steps: [] };
  const result = failed ? undefined : module.result?.(state, outcome, args, context);
  const asked = questions.filter(({ of }) => of === "http" || of === "tcp").map(shownQuestion);
  const { steps, diffs, ...rest } = plan;
  return {
    ...(asked.length === 0 ? {} : { asked }),
    ...rest,
    steps: steps.map(shownStep),
    ...(diffs.length === 0 ? {} : { diffs: diffs as unknown as JsonValue }),
    ...(result === undefined ? {} : { result }),
  };
}

async function outcomeOf(name: string, one: Case): Promise<JsonValue> {
  const module = await loadModule(name);
  const parsed = module.args.safeParse(one.args);
  if (!parsed.success) {
    return { refused: parsed.error.issues.map(({ path, message }) => [...path, message].join(": ")) };
  }
  const outcome: unknown =
    module.kind === "host"
      ? hostOutcome(module, parsed.data, one)
      : controllerOutcome(module.run(parsed.data, controllerContext(one)));
  return JSON.parse(JSON.stringify(outcome)) as JsonValue;
}

const controllerOutcome = (outcome: ControllerOutcome): unknown => outcome;
const controllerContext = (one: Case) => ({
  host: "web1",
  check: one.check ?? false,
  sources: [],
  evaluate: (expression: string): JsonValue => one.values?.[expression] ?? null,
});

const folders = readdirSync(casesDir).filter(
  (name) => !["law", "container", "more-packages", "systemd-host"].includes(name),
);

describe.each(folders)("%s", (folder) => {
  const file = join(casesDir, folder, "cases.json");
  const cases = JSON.parse(readFileSync(file, "utf8")) as Case[];
  const name = folder.replaceAll("-", "_");
  if (process.env.PROVISION_UPDATE === "1") {
    test("is written anew", async () => {
      for (const one of cases) one.want = await outcomeOf(name, one);
      writeFileSync(file, `${JSON.stringify(cases, undefined, 2)}\n`);
    });
    return;
  }
  test.each(cases)("$claim", async (one) => {
    expect(await outcomeOf(name, one)).toEqual(one.want);
  });
});
