/** One task as a playbook of its own: what `provision exec` and `provision task` run, and how they tell it. */
import { join, resolve } from "node:path";
import type { Span } from "../base/errors.ts";
import { catalogue } from "../provisioning/modules/index.ts";
import { freshContext } from "../provisioning/playbook/load-context.ts";
import { loadStatements } from "../provisioning/playbook/load-statements.ts";
import type { Playbook } from "../provisioning/playbook/model.ts";
import type { MapNode, SourceNode } from "../provisioning/source/node.ts";
import type { CliIo } from "./io.ts";
import type { ParsedOptions } from "./parse-options.ts";
import { prepareRun } from "./prepare-run.ts";
import { runReported } from "./report-run.ts";

/** `--task-timeout` and what the verb adds stand beside the module. */
export async function runAdHoc(
  pattern: string,
  task: Readonly<Record<string, SourceNode>>,
  { options, io }: { readonly options: ParsedOptions; readonly io: CliIo },
): Promise<number> {
  const timeout = options.number("task-timeout", 1);
  const cwd = resolve(io.cwd, options.value("playbook-dir") ?? ".");
  const whole = timeout === undefined ? task : { ...task, timeout: scalar(String(timeout)) };
  const prepared = await prepareRun({
    options,
    io,
    playbooks: () => [adHocPlaybook({ pattern, task: whole, cwd })],
  });
  if (options.has("list-hosts")) {
    const { listRun } = await import("./list-run.ts");
    return listRun(prepared, ["list-hosts"], io);
  }
  return (await runReported({ prepared, options, io, showsOutputs: true })).exitCode;
}

export interface AdHocTask {
  readonly pattern: string;
  /** The task as it would stand in a list of tasks. */
  readonly task: Readonly<Record<string, SourceNode>>;
  readonly cwd: string;
}

export const place: Span = { file: "the command line", line: 1, column: 1 };

export const scalar = (value: string, isLiteral = false): SourceNode => ({
  kind: "scalar",
  value,
  span: place,
  ...(isLiteral ? { tag: "!unsafe" as const } : {}),
});

export const mapOf = (members: Readonly<Record<string, SourceNode>>): MapNode => ({
  kind: "map",
  span: place,
  entries: Object.entries(members).map(([name, value]) => ({
    key: { kind: "scalar", value: name, span: place },
    value,
  })),
});

export function adHocPlaybook({ pattern, task, cwd }: AdHocTask): Playbook {
  const file = join(cwd, "the command line");
  const context = freshContext({ catalogue, rolesPath: [] }, file);
  const tasks = loadStatements("the task", { kind: "list", items: [mapOf(task)], span: place }, context);
  context.errors.throwIfAny();
  return {
    file: place.file,
    plays: [
      {
        kind: "play",
        name: pattern,
        span: place,
        hosts: scalar(pattern),
        gatherFacts: undefined,
        strategy: undefined,
        serial: undefined,
        varsPrompt: [],
        varsFiles: [],
        preTasks: [],
        roles: [],
        tasks,
        postTasks: [],
        handlers: [],
        baseDir: cwd,
        tags: [],
        when: [],
      },
    ],
  };
}
