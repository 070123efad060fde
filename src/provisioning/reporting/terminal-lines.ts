/** Events → lines for a terminal. Lines of one task are held until it is done, so that nothing is drawn over. */
import type { EngineEvent, TaskStatus } from "../engine/events.ts";
import {
  cleanText,
  isWorthTelling,
  ms,
  paintStatus,
  type TaskHostEvent,
  type TextStyle,
  taskHostDetails,
} from "./task-lines.ts";

interface OpenTask {
  readonly title: string;
  readonly handler: boolean;
  readonly hosts: Map<TaskStatus, string[]>;
  readonly details: string[];
}

const shownNames = 4;

export class TerminalLines {
  readonly #style: TextStyle;
  readonly #columns: number;
  readonly #open = new Map<number, OpenTask>();
  #role: string | undefined;

  constructor(style: TextStyle, columns: number) {
    this.#style = style;
    this.#columns = columns;
  }

  title(event: EngineEvent): string {
    if (event.type !== "task-start") return "";
    return event.role === undefined ? event.task : `${event.role}: ${event.task}`;
  }

  of(event: EngineEvent): string[] {
    const { colours } = this.#style;
    switch (event.type) {
      case "play-start":
        this.#role = undefined;
        return ["", colours.bold(this.#fit(this.#playTitle(event)))];
      case "owed-handlers":
        return [
          colours.yellow(
            this.#fit(`  ${event.host} still owes from an earlier run: ${event.handlers.join(", ")}`),
          ),
        ];
      case "connect":
        return event.state === "failed" ? this.#unreachable(event) : [];
      case "task-start": {
        this.#open.set(event.id, {
          title: event.task,
          handler: event.handler,
          hosts: new Map(),
          details: [],
        });
        return this.#heading(event.role);
      }
      case "task-host":
        this.#taskHost(event);
        return [];
      case "task-end":
        return this.#taskEnd(event);
      case "show":
        return cleanText(this.#style, event.text)
          .split("\n")
          .map((line) => `      ${event.host}: ${line}`);
      case "warning":
        return [colours.yellow(`  warning: ${cleanText(this.#style, event.message)}`)];
      default:
        return [];
    }
  }

  #playTitle({ play, hosts, batch }: Extract<EngineEvent, { type: "play-start" }>): string {
    const names = hosts.length > 8 ? `${hosts.length} hosts` : hosts.join(", ");
    const title = play === names ? play : `${play}: ${names}`;
    return cleanText(this.#style, `${title}${batch === undefined ? "" : ` (batch ${batch})`}`);
  }

  #heading(role: string | undefined): string[] {
    if (role === this.#role) return [];
    this.#role = role;
    return role === undefined ? [] : [this.#style.colours.cyan(`  ${cleanText(this.#style, role)}`)];
  }

  #unreachable(event: Extract<EngineEvent, { type: "connect" }>): string[] {
    const why = cleanText(this.#style, event.message ?? "").split("\n");
    return [
      this.#style.colours.red(`  ✖ ${event.host} cannot be reached`),
      ...why.map((line) => `      ${line}`),
    ];
  }

  #taskHost(event: TaskHostEvent): void {
    const task = this.#open.get(event.id);
    if (task === undefined) return;
    if (event.item === undefined)
      task.hosts.set(event.status, [...(task.hosts.get(event.status) ?? []), event.host]);
    if (!isWorthTelling(event, this.#style.verbosity)) return;
    const details = taskHostDetails(event, this.#style);
    const item = event.item === undefined ? "" : ` [${event.item}]`;
    const steps = this.#style.verbosity > 0 || event.failure !== undefined ? "" : event.steps.join(", ");
    if (details.length === 0 && steps === "") return;
    const host = paintStatus(
      event.status,
      this.#style.colours,
      cleanText(this.#style, `${event.host}${item}`),
    );
    task.details.push(
      `      ${host}${steps === "" ? "" : `  ${this.#fit(cleanText(this.#style, steps), event.host.length + item.length + 8)}`}`,
    );
    task.details.push(...details.map((line) => `        ${line}`));
  }

  #taskEnd(event: Extract<EngineEvent, { type: "task-end" }>): string[] {
    const task = this.#open.get(event.id);
    this.#open.delete(event.id);
    if (task === undefined) return [];
    const statuses = [...task.hosts.keys()];
    if (statuses.every((status) => status === "skipped") && this.#style.verbosity === 0) return [];
    const tail = statuses.map((status) => this.#tally(status, task.hosts.get(status) ?? [])).join("  ");
    const time = event.elapsedMs >= 1000 ? this.#style.colours.grey(`  ${ms(event.elapsedMs)}`) : "";
    const prefix = task.handler ? "handler: " : "";
    const title = this.#fit(cleanText(this.#style, prefix + task.title), 28);
    return [`    ${this.#icon(statuses)} ${title}  ${tail}${time}`, ...task.details];
  }

  #icon(statuses: readonly TaskStatus[]): string {
    const { colours } = this.#style;
    if (statuses.includes("failed") || statuses.includes("unreachable")) return colours.red("✖");
    if (statuses.includes("ignored") || statuses.includes("rescued")) return colours.yellow("!");
    if (statuses.includes("changed") || statuses.includes("would-change")) return colours.yellow("✔");
    return statuses.includes("unsure") ? colours.yellow("?") : colours.green("✔");
  }

  /** ok and skipped are counted, the rest is named. */
  #tally(status: TaskStatus, hosts: readonly string[]): string {
    const isPlain = status === "ok" || status === "skipped";
    const names = isPlain || hosts.length > shownNames ? String(hosts.length) : hosts.join(", ");
    return paintStatus(status, this.#style.colours, cleanText(this.#style, `${status} ${names}`));
  }

  #fit(text: string, less = 2): string {
    const room = Math.max(20, this.#columns - less);
    return text.length > room ? `${text.slice(0, room - 1)}…` : text;
  }
}
