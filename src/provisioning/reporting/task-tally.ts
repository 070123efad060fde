/** Which task an id means, and how many of its hosts ended how. */
import type { EngineEvent, TaskStatus } from "../engine/events.ts";
import { isWorthTelling } from "./task-lines.ts";

export interface TaskCounts {
  readonly id: number;
  readonly title: string;
  readonly handler: boolean;
  readonly hosts: number;
  readonly statuses: ReadonlyMap<TaskStatus, number>;
}

interface Tallied {
  readonly id: number;
  readonly title: string;
  readonly handler: boolean;
  readonly hosts: number;
  readonly statuses: Map<TaskStatus, number>;
  /** Events of ok hosts that were told in full. */
  told: number;
}

export class TaskTally {
  readonly #tasks = new Map<number, Tallied>();

  add(event: EngineEvent): void {
    if (event.type === "task-start") {
      const title = event.role === undefined ? event.task : `${event.role}: ${event.task}`;
      const { id, handler } = event;
      this.#tasks.set(id, { id, title, handler, hosts: event.hosts.length, statuses: new Map(), told: 0 });
    } else if (event.type === "task-host" && event.item === undefined) {
      const task = this.#tasks.get(event.id);
      if (task === undefined) return;
      task.statuses.set(event.status, (task.statuses.get(event.status) ?? 0) + 1);
      if (event.status === "ok" && isWorthTelling(event, 0)) task.told++;
    }
  }

  title(id: number): string {
    return this.#tasks.get(id)?.title ?? "";
  }

  counts(id: number): TaskCounts | undefined {
    return this.#tasks.get(id);
  }

  /** Hosts that were ok and had no line of their own. */
  quiet(id: number, verbosity: number): number {
    const task = this.#tasks.get(id);
    if (task === undefined || verbosity > 0) return 0;
    return (task.statuses.get("ok") ?? 0) - task.told;
  }
}
