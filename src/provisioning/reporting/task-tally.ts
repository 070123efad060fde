/** Which task an id means, and how many of its hosts had nothing to tell. */
import type { EngineEvent } from "../engine/events.ts";
import { isWorthTelling } from "./task-lines.ts";

interface Tallied {
  readonly title: string;
  readonly place: string;
  readonly isDebug: boolean;
  ok: number;
  /** Of the ok ones, those that were told in full. */
  told: number;
}

export class TaskTally {
  readonly #tasks = new Map<number, Tallied>();

  add(event: EngineEvent): void {
    if (event.type === "task-start") {
      const title = event.role === undefined ? event.task : `${event.role}: ${event.task}`;
      this.#tasks.set(event.id, {
        title,
        place: event.place,
        isDebug: event.module === "debug",
        ok: 0,
        told: 0,
      });
    } else if (event.type === "task-host" && event.item === undefined && event.status === "ok") {
      const task = this.#tasks.get(event.id);
      if (task === undefined) return;
      task.ok++;
      if (isWorthTelling(event, 0)) task.told++;
    }
  }

  title(id: number): string {
    return this.#tasks.get(id)?.title ?? "";
  }

  place(id: number): string | undefined {
    return this.#tasks.get(id)?.place;
  }

  /** What it says has been shown. */
  isDebug(id: number): boolean {
    return this.#tasks.get(id)?.isDebug === true;
  }

  /** Hosts that were ok and had no line of their own. */
  quiet(id: number, verbosity: number): number {
    const task = this.#tasks.get(id);
    return task === undefined || verbosity > 0 ? 0 : task.ok - task.told;
  }
}
