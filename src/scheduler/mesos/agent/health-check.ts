/** Health checks that the agent makes itself: a command in the sandbox or container, HTTP and TCP against the task. */
import { connect } from "node:net";
import { requestBytes } from "../../http/http-client.ts";
import type { HealthCheck, TaskStatus } from "../protocol/task.ts";
import type { AgentTask } from "./agent-state.ts";
import { runTool } from "./run-tool.ts";
import { pause } from "./supervisor.ts";

export interface CheckTimes {
  readonly delayMs: number;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly graceMs: number;
  readonly mostFailures: number;
}

/** Mesos's defaults. */
export const timesOf = (check: HealthCheck): CheckTimes => ({
  delayMs: (check.delay_seconds ?? 15) * 1000,
  intervalMs: Math.max(0.1, check.interval_seconds ?? 10) * 1000,
  timeoutMs: (check.timeout_seconds ?? 20) * 1000,
  graceMs: (check.grace_period_seconds ?? 10) * 1000,
  mostFailures: check.consecutive_failures ?? 3,
});

export interface Verdict {
  readonly healthy: boolean;
  readonly killAsUnhealthy: boolean;
}

export interface CheckCourse {
  readonly failures: number;
  readonly hasBeenHealthy: boolean;
}

/** Failures within the grace period do not count until the task has been healthy once. No verdict: nothing to tell. */
export function judge(
  course: CheckCourse,
  passed: boolean,
  times: CheckTimes,
  ageMs: number,
): { readonly course: CheckCourse; readonly verdict: Verdict | undefined } {
  if (passed)
    return {
      course: { failures: 0, hasBeenHealthy: true },
      verdict: { healthy: true, killAsUnhealthy: false },
    };
  if (!course.hasBeenHealthy && ageMs < times.graceMs) return { course, verdict: undefined };
  const failures = course.failures + 1;
  const killAsUnhealthy = times.mostFailures > 0 && failures >= times.mostFailures;
  return { course: { ...course, failures }, verdict: { healthy: false, killAsUnhealthy } };
}

export interface Checking {
  readonly task: AgentTask;
  readonly check: HealthCheck;
  readonly containerStatus: TaskStatus["container_status"];
  readonly signal: AbortSignal;
  readonly onVerdict: (verdict: Verdict) => void;
  /** The words that run a shell command where the task runs. */
  readonly shellIn: (task: AgentTask, command: string) => readonly string[];
}

/** Checks until the signal ends it. */
export async function checkHealth(checking: Checking): Promise<void> {
  const { check, signal } = checking;
  const times = timesOf(check);
  const startedAt = performance.now();
  let course: CheckCourse = { failures: 0, hasBeenHealthy: false };
  await pause(times.delayMs, signal);
  while (!signal.aborted) {
    const passed = await passes(checking, times.timeoutMs);
    if (signal.aborted) return;
    const judged = judge(course, passed, times, performance.now() - startedAt);
    course = judged.course;
    if (judged.verdict !== undefined) checking.onVerdict(judged.verdict);
    await pause(times.intervalMs, signal);
  }
}

async function passes(checking: Checking, timeoutMs: number): Promise<boolean> {
  const { check, task, signal } = checking;
  const host = addressOf(checking);
  if (check.http !== undefined) {
    const { scheme = "http", port, path = "/", statuses = [] } = check.http;
    const url = `${scheme}://${host}:${port}${path.startsWith("/") ? path : `/${path}`}`;
    const answer = await requestBytes({ url, timeoutMs, signal }).catch(() => undefined);
    if (answer === undefined) return false;
    return statuses.length > 0
      ? statuses.includes(answer.status)
      : answer.status >= 200 && answer.status < 400;
  }
  if (check.tcp !== undefined) return await connects(host, check.tcp.port, timeoutMs);
  const { value, shell, arguments: words = [] } = check.command ?? {};
  if (value === undefined) return true;
  const [program = "", ...args] =
    shell === false ? [value, ...words.slice(1)] : checking.shellIn(task, value);
  return (await runTool(program, args, { cwd: task.directory, timeoutMs, signal })).exitCode === 0;
}

/** A container of its own network is asked at its own address. */
function addressOf({ task, containerStatus }: Checking): string {
  const network = task.info.container?.docker?.network ?? "HOST";
  const own = containerStatus?.network_infos?.[0]?.ip_addresses?.[0]?.ip_address;
  return task.kind === "docker" && network !== "HOST" && own !== undefined ? own : "127.0.0.1";
}

function connects(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const end = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once("connect", () => end(true));
    socket.once("timeout", () => end(false));
    socket.once("error", () => end(false));
  });
}
