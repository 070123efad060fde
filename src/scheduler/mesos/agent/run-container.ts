/** The course that every container takes: prepare, spawn, write down, go, watch. Command and Docker tasks differ in how. */
import type { FrameworkInfo } from "../protocol/framework.ts";
import type { TaskStatus } from "../protocol/task.ts";
import type { AgentTask } from "./agent-state.ts";
import type { Containerizer, ContainerObserver } from "./containerizer.ts";
import { type Exit, exitOf, type SupervisedCommand, supervise, waitUntilGone } from "./supervisor.ts";
import type { Ending } from "./turn.ts";

export interface Preparation {
  readonly task: AgentTask;
  readonly framework: FrameworkInfo;
  readonly signal: AbortSignal;
}

export interface ContainerWays {
  /** Sandbox, URIs, image: all that may take long and may fail. */
  prepare(preparation: Preparation): Promise<SupervisedCommand>;
  /** Between spawning and going. */
  confine(task: AgentTask, pid: number): void;
  /** Resolves when the container runs; undefined when it ended before. Never rejects. */
  awaitStart(task: AgentTask, signal: AbortSignal): Promise<TaskStatus["container_status"] | undefined>;
  /** Its process was not found again. What is left of it, if anything, is watched to its end. */
  salvage(task: AgentTask, signal: AbortSignal): Promise<Ending>;
  stop(task: AgentTask, hard: boolean, graceMs: number): void;
  /** What is behind an exit: memory that ran out, a container that could not be made. */
  explain(task: AgentTask, exit: Exit, signal: AbortSignal): Promise<Ending>;
  /** After the end, whatever it was. */
  tidy(task: AgentTask): void;
  runFolder(containerId: string): string;
}

interface Course {
  readonly watching: AbortController;
  readonly preparing: AbortController;
}

export class RunContainers implements Containerizer {
  readonly #ways: ContainerWays;
  readonly #courses = new Map<string, Course>();
  #isClosed = false;

  constructor(ways: ContainerWays) {
    this.#ways = ways;
  }

  start(task: AgentTask, framework: FrameworkInfo, observer: ContainerObserver): void {
    this.#follow(task, observer, (course) => this.#run(task, framework, observer, course));
  }

  recover(task: AgentTask, observer: ContainerObserver): void {
    this.#follow(task, observer, (course) => this.#resume(task, observer, course));
  }

  stop(task: AgentTask, hard: boolean, graceMs: number): void {
    this.#courses.get(task.containerId)?.preparing.abort();
    if (task.process !== undefined) this.#ways.stop(task, hard, graceMs);
  }

  close(): void {
    this.#isClosed = true;
    for (const { watching, preparing } of this.#courses.values()) {
      preparing.abort();
      watching.abort();
    }
  }

  #follow(task: AgentTask, observer: ContainerObserver, take: (course: Course) => Promise<Ending>): void {
    const course = { watching: new AbortController(), preparing: new AbortController() };
    this.#courses.set(task.containerId, course);
    const finish = (ending: Ending): void => {
      this.#courses.delete(task.containerId);
      if (this.#isClosed) return;
      this.#ways.tidy(task);
      observer.ended(ending);
    };
    take(course).then(finish, (error: unknown) => finish(endingOf(error, course)));
  }

  async #run(
    task: AgentTask,
    framework: FrameworkInfo,
    observer: ContainerObserver,
    course: Course,
  ): Promise<Ending> {
    const command = await this.#ways.prepare({ task, framework, signal: course.preparing.signal });
    course.preparing.signal.throwIfAborted();
    const supervised = await supervise(command);
    observer.spawned(supervised.process);
    this.#ways.confine(task, supervised.process.pid);
    supervised.go();
    this.#tellStart(task, observer, course);
    await supervised.gone;
    const exit = exitOf(this.#ways.runFolder(task.containerId));
    return await this.#explain(task, exit ?? { signal: "Killed" }, course);
  }

  /** Without a process written down it was never let go. */
  async #resume(task: AgentTask, observer: ContainerObserver, course: Course): Promise<Ending> {
    if (task.process === undefined) return { problem: "The agent was restarted before the task had begun" };
    if (task.state !== "TASK_RUNNING" && task.state !== "TASK_KILLING")
      this.#tellStart(task, observer, course);
    await waitUntilGone(task.process, course.watching.signal);
    const exit = exitOf(this.#ways.runFolder(task.containerId));
    if (exit === undefined) return await this.#ways.salvage(task, course.watching.signal);
    return await this.#explain(task, exit, course);
  }

  /** Once the agent has stopped, what becomes of the task is its successor's business. */
  async #explain(task: AgentTask, exit: Exit, course: Course): Promise<Ending> {
    return this.#isClosed ? exit : await this.#ways.explain(task, exit, course.watching.signal);
  }

  #tellStart(task: AgentTask, observer: ContainerObserver, course: Course): void {
    void this.#ways.awaitStart(task, course.watching.signal).then((status) => {
      if (status !== undefined && this.#courses.get(task.containerId) === course) observer.started(status);
    });
  }
}

function endingOf(error: unknown, course: Course): Ending {
  if (course.preparing.signal.aborted) return { problem: "Killed before it was started" };
  const problem = error instanceof Error ? error.message : String(error);
  return {
    problem,
    reason: "REASON_CONTAINER_LAUNCH_FAILED",
  };
}
