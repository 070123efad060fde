/** Under --profile: the slowest tasks, and what each waited for. */
import type { EngineEvent } from "../engine/events.ts";
import { cleanText, ms, nearPlace, oneLine, type TextStyle } from "./task-lines.ts";

const slowestShown = 10;
/** All of them are among the events of --json. */
const barrierLinesShown = 40;

interface TaskTimes {
  readonly title: string;
  elapsedMs: number;
  networkMs: number;
  hostMs: number;
  controllerMs: number;
  slowestHost: string;
  slowestHostMs: number;
}

export class TaskProfile {
  readonly #tasks = new Map<number, TaskTimes>();
  /** By reason: the tasks, with their places. */
  readonly #barriers = new Map<string, Set<string>>();
  #connected = 0;
  #slowestConnect = { host: "", elapsedMs: 0 };

  add(event: EngineEvent): void {
    if (event.type === "task-start") this.#start(event.id, event.role, event.task);
    else if (event.type === "task-host") this.#addHost(event);
    else if (event.type === "connect") this.#addConnect(event);
    else if (event.type === "task-end") {
      const times = this.#tasks.get(event.id);
      if (times !== undefined) times.elapsedMs += event.elapsedMs;
    } else if (event.type === "barrier") this.#addBarrier(event);
  }

  #addBarrier({ task, place, reason }: Extract<EngineEvent, { type: "barrier" }>): void {
    const known = this.#barriers.get(reason) ?? new Set();
    this.#barriers.set(reason, known.add(`${place}\0${task}`));
  }

  #addConnect({ host, state, elapsedMs }: Extract<EngineEvent, { type: "connect" }>): void {
    if (state !== "connected") return;
    this.#connected++;
    if (elapsedMs > this.#slowestConnect.elapsedMs) this.#slowestConnect = { host, elapsedMs };
  }

  #start(id: number, role: string | undefined, task: string): void {
    this.#tasks.set(id, {
      title: role === undefined ? task : `${role}: ${task}`,
      elapsedMs: 0,
      networkMs: 0,
      hostMs: 0,
      controllerMs: 0,
      slowestHost: "",
      slowestHostMs: 0,
    });
  }

  #addHost({ id, host, timing, elapsedMs }: Extract<EngineEvent, { type: "task-host" }>): void {
    const times = this.#tasks.get(id);
    if (times === undefined) return;
    times.networkMs += timing?.networkMs ?? 0;
    times.hostMs += timing?.hostMs ?? 0;
    times.controllerMs += timing?.controllerMs ?? 0;
    if (elapsedMs <= times.slowestHostMs) return;
    times.slowestHostMs = elapsedMs;
    times.slowestHost = host;
  }

  lines(style: TextStyle): string[] {
    const slowest = [...this.#tasks.values()]
      .filter(({ elapsedMs }) => elapsedMs >= 1)
      .sort((a, b) => b.elapsedMs - a.elapsedMs)
      .slice(0, slowestShown);
    const head = "    time   network      host        us  task (sums over hosts; slowest host)";
    const rows = slowest.map((task) => {
      const sums = [task.elapsedMs, task.networkMs, task.hostMs, task.controllerMs];
      const cells = sums.map((value) => ms(value).padStart(8)).join("  ");
      return `${cells}  ${cleanText(style, task.title)}${task.slowestHost === "" ? "" : ` (${task.slowestHost})`}`;
    });
    const note =
      "network: estimated, by the fastest answer that each host gave; the rest of the wait is the host's";
    const lines = rows.length === 0 ? [] : [style.colours.bold(head), ...rows, note];
    if (this.#connected > 0 && rows.length > 0) {
      const { host, elapsedMs } = this.#slowestConnect;
      const all = this.#connected === 1 ? "" : `${this.#connected} hosts; the slowest: `;
      lines.push(`${ms(elapsedMs).padStart(8)}  to connect, and for facts (${all}${cleanText(style, host)})`);
    }
    return [...lines, ...this.#barrierLines(style)];
  }

  #barrierLines(style: TextStyle): string[] {
    if (this.#barriers.size === 0) return [];
    const lines = [...this.#barriers].flatMap(([reason, tasks]) => [
      `  ${cleanText(style, reason)}:`,
      ...[...tasks].map((told) => {
        const [place = "", task = ""] = told.split("\0");
        return `    ${nearPlace(place, style)}  ${oneLine(style, task)}`;
      }),
    ]);
    const more = lines.length - barrierLinesShown;
    return [
      style.colours.bold("could not be asked ahead:"),
      ...lines.slice(0, barrierLinesShown),
      ...(more > 0 ? [`  and ${more} more lines: --json has them all`] : []),
    ];
  }
}
