/**
 * What an agent keeps on disk, below `<work_dir>/meta`: `agent.json` (its id, and what it was started with),
 * `frameworks/<id>.json`, `tasks/<framework id>/<task id>.json`, `runs/<container id>/` (a supervisor's own files).
 * A file is replaced whole, never written in place. Synchronous on purpose: what follows an action must find it written.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { type FrameworkInfo, frameworkInfoSchema } from "../protocol/framework.ts";
import { attributeSchema, resourceSchema } from "../protocol/resource.ts";
import { taskInfoSchema, taskStates, taskStatusSchema } from "../protocol/task.ts";
import { parseWire } from "../protocol/wire.ts";
import type { AgentTask } from "./agent-state.ts";

const identitySchema = z.object({
  agentId: z.string().optional(),
  resources: z.array(resourceSchema).default([]),
  attributes: z.array(attributeSchema).default([]),
});
export type AgentIdentity = z.infer<typeof identitySchema>;

const taskSchema = z.object({
  frameworkId: z.string(),
  info: taskInfoSchema,
  kind: z.enum(["command", "docker"]),
  containerId: z.string(),
  directory: z.string(),
  launchedAt: z.number(),
  state: z.enum(taskStates),
  statuses: z.array(taskStatusSchema),
  unacknowledged: z.array(taskStatusSchema),
  process: z.object({ pid: z.number(), startTicks: z.string(), bootId: z.string() }).optional(),
  wasKilled: z.boolean(),
  healthy: z.boolean().optional(),
});

export interface Recovered {
  readonly identity: AgentIdentity | undefined;
  readonly frameworks: readonly FrameworkInfo[];
  readonly tasks: readonly AgentTask[];
}

export class Checkpoint {
  readonly #meta: string;

  constructor(workDir: string) {
    this.#meta = join(workDir, "meta");
  }

  keepIdentity(identity: AgentIdentity): void {
    writeWhole(join(this.#meta, "agent.json"), identity, true);
  }

  keepFramework(info: FrameworkInfo): void {
    writeWhole(this.#frameworkFile(info.id?.value ?? ""), info);
  }

  forgetFramework(frameworkId: string): void {
    rmSync(this.#frameworkFile(frameworkId), { force: true });
    rmSync(join(this.#meta, "tasks", fileName(frameworkId)), { force: true, recursive: true });
  }

  keepTask(task: AgentTask): void {
    const { retryAt: _at, retryMs: _ms, kill, ...kept } = task;
    writeWhole(this.#taskFile(task), { ...kept, wasKilled: kill !== undefined });
  }

  forgetTask(task: Pick<AgentTask, "frameworkId" | "info" | "containerId">): void {
    rmSync(this.#taskFile(task), { force: true });
    rmSync(this.runFolder(task.containerId), { force: true, recursive: true });
  }

  /** Where a container's supervisor leaves its exit status. */
  runFolder(containerId: string): string {
    return join(this.#meta, "runs", containerId);
  }

  /** Throws when a file cannot be understood: guessing would start or lose tasks. */
  recover(): Recovered {
    const identity = readWhole(join(this.#meta, "agent.json"), (json) => parseWire(identitySchema, json));
    const frameworks = filesBelow(join(this.#meta, "frameworks")).map((path) =>
      readWhole(path, (json) => parseWire(frameworkInfoSchema, json)),
    );
    const tasks = filesBelow(join(this.#meta, "tasks")).map((path) => readWhole(path, readTask));
    return { identity, frameworks: frameworks.filter(isPresent), tasks: tasks.filter(isPresent) };
  }

  #frameworkFile(frameworkId: string): string {
    return join(this.#meta, "frameworks", `${fileName(frameworkId)}.json`);
  }

  #taskFile({ frameworkId, info }: Pick<AgentTask, "frameworkId" | "info">): string {
    return join(this.#meta, "tasks", fileName(frameworkId), `${fileName(info.task_id.value)}.json`);
  }
}

const isPresent = <T>(value: T | undefined): value is T => value !== undefined;

function readTask(json: unknown): AgentTask {
  const { wasKilled, process, healthy, ...kept } = parseWire(taskSchema, json);
  return {
    ...kept,
    process,
    healthy,
    retryAt: 0,
    retryMs: 0,
    kill: wasKilled ? { deadline: 0, hard: false } : undefined,
  };
}

/** File systems take 255 bytes, of which `.json.new` needs some. */
const maxNameChars = 200;

/** The file itself says whose it is: a long name need only be its own. */
function fileName(name: string): string {
  const whole = encodeURIComponent(name).replaceAll(".", "%2E");
  return whole.length <= maxNameChars ? whole : createHash("sha256").update(name).digest("hex");
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".json"))
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function readWhole<T>(path: string, parse: (json: unknown) => T): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  if (isLost(text)) return undefined;
  try {
    return parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(
      `${path} cannot be understood: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    );
  }
}

/** Renamed into place, but the power failed before its content was on disk: no process of that time lives any more. */
const isLost = (text: string): boolean => /^\0*$/.test(text);

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

function writeWhole(path: string, value: object, isPrecious = false): void {
  mkdirSync(dirname(path), { recursive: true });
  const next = `${path}.new`;
  const file = openSync(next, "w", 0o600);
  try {
    writeSync(file, JSON.stringify(value));
    if (isPrecious) fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(next, path);
}
