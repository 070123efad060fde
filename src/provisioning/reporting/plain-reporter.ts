/** Lines that a CI log reads well: time, status, host, task; details indented below. */
import type { EngineEvent } from "../engine/events.ts";
import { palette } from "./colour.ts";
import { visibleWidth } from "./fit-text.ts";
import { TaskProfile } from "./profile.ts";
import { recapLines } from "./recap.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";
import {
  cleanText,
  connectFailureLines,
  isWorthTelling,
  ms,
  nearPlace,
  oneLine,
  paintStatus,
  type TaskHostEvent,
  type TextStyle,
  taskHostDetails,
} from "./task-lines.ts";
import { TaskTally } from "./task-tally.ts";

const statusWidth = 12;
/** Tasks stand in a column of their own, unless a host's name is longer than this. */
const mostHostColumns = 32;

export function plainReporter(options: ReporterOptions): Reporter {
  const style: TextStyle = { ...options, colours: palette(options.colour) };
  const lines = new PlainLines(style, options.profile);
  return {
    report: (event) => {
      for (const line of lines.of(event)) options.write(`${line.trimEnd()}\n`);
    },
    close: async () => {},
  };
}

export class PlainLines {
  readonly #style: TextStyle;
  readonly #profile: TaskProfile | undefined;
  readonly #tally = new TaskTally();
  #hostWidth = 0;
  /** Task and host whose items were told. */
  readonly #items = new Set<string>();

  constructor(style: TextStyle, profile: boolean) {
    this.#style = style;
    this.#profile = profile ? new TaskProfile() : undefined;
  }

  of(event: EngineEvent): string[] {
    this.#profile?.add(event);
    this.#tally.add(event);
    switch (event.type) {
      case "run-start":
        return this.#runStart(event);
      case "play-start":
        this.#hostWidth = Math.min(
          mostHostColumns,
          Math.max("12 hosts".length, ...event.hosts.map(visibleWidth)),
        );
        return ["", this.#line(event.atMs, this.#style.colours.bold("play"), this.#playTitle(event))];
      case "connect":
        return this.#connect(event);
      case "owed-handlers":
        return [
          this.#line(
            event.atMs,
            "owed",
            this.#hostText(event.host, `from an earlier run: ${event.handlers.join(", ")}`),
          ),
        ];
      case "task-host":
        return this.#taskHost(event);
      case "task-end":
        return this.#taskEnd(event);
      case "task-progress":
        if (this.#style.verbosity === 0) return [];
        return [this.#line(event.atMs, "…", this.#hostText(event.host, event.what))];
      case "show":
        return cleanText(this.#style, event.text)
          .split("\n")
          .map((line) => `${this.#indent()}${event.host}: ${line}`);
      case "warning":
        return [this.#line(event.atMs, this.#style.colours.yellow("warning"), placed(event))];
      case "run-end":
        return this.#runEnd(event);
      default:
        return [];
    }
  }

  #runStart(event: Extract<EngineEvent, { type: "run-start" }>): string[] {
    const what = event.playbooks.map((file) => nearPlace(file, this.#style)).join(", ");
    const how = event.check ? " (check: nothing is changed)" : "";
    return [this.#line(event.atMs, "run", `${what} on ${hosts(event.hosts.length)}${how}`)];
  }

  #playTitle({ play, hosts: names, batch }: Extract<EngineEvent, { type: "play-start" }>): string {
    const shown = names.length > 8 ? hosts(names.length) : names.join(", ");
    return cleanText(this.#style, `${play}${batch === undefined ? "" : ` (batch ${batch})`}: ${shown}`);
  }

  #connect(event: Extract<EngineEvent, { type: "connect" }>): string[] {
    if (event.state === "failed") {
      const text = this.#hostText(event.host, "cannot be reached");
      return [
        this.#line(event.atMs, this.#style.colours.red("unreachable"), text),
        ...connectFailureLines(event, this.#style).map((line) => `${this.#indent()}${line}`),
      ];
    }
    if (event.state === "connecting" || this.#style.verbosity === 0) return [];
    return [this.#line(event.atMs, "connected", this.#hostText(event.host, `in ${ms(event.elapsedMs)}`))];
  }

  #taskHost(event: TaskHostEvent): string[] {
    const key = `${event.id} ${event.host}`;
    if (event.item !== undefined) this.#items.add(key);
    // Its items have told it all.
    else if (this.#items.delete(key) && event.status !== "unreachable") return [];
    if (!isWorthTelling(event, this.#style.verbosity)) return [];
    const title = this.#tally.title(event.id);
    const item = event.item === undefined ? "" : ` [${event.item}]`;
    const via = event.delegatedTo === undefined ? "" : ` → ${event.delegatedTo}`;
    const tellsSteps = this.#style.verbosity === 0 && event.failure === undefined && event.steps.length > 0;
    const steps = tellsSteps ? `: ${event.steps.join(", ")}` : "";
    const text = this.#hostText(`${event.host}${via}`, `${title}${item}${steps}`);
    const { message: _shown, ...rest } = event;
    const told = this.#tally.isDebug(event.id) && event.status === "ok" ? rest : event;
    const details = taskHostDetails(told, this.#style, this.#tally.place(event.id));
    return [
      this.#line(event.atMs, paintStatus(event.status, this.#style.colours), text),
      ...details.map((detail) => `${this.#indent()}${detail}`),
    ];
  }

  /** The hosts that had nothing to tell, in one line. */
  #taskEnd(event: Extract<EngineEvent, { type: "task-end" }>): string[] {
    const quiet = this.#tally.quiet(event.id, this.#style.verbosity);
    if (quiet === 0) return [];
    const text = this.#hostText(hosts(quiet), this.#tally.title(event.id));
    return [this.#line(event.atMs, paintStatus("ok", this.#style.colours), text)];
  }

  #hostText(host: string, text: string): string {
    const padding = " ".repeat(Math.max(0, this.#hostWidth - visibleWidth(host)));
    return oneLine(this.#style, `${host}${padding}  ${text}`);
  }

  #runEnd(event: Extract<EngineEvent, { type: "run-end" }>): string[] {
    const profile = this.#profile?.lines(this.#style) ?? [];
    return ["", ...(profile.length > 0 ? [...profile, ""] : []), ...recapLines(event, this.#style)];
  }

  #line(atMs: number, status: string, text: string): string {
    return `${timeOfDay(atMs)} ${status}${" ".repeat(Math.max(0, statusWidth - visibleWidth(status)))} ${text}`;
  }

  #indent(): string {
    return " ".repeat("00:00:00 ".length + statusWidth + 1);
  }
}

const hosts = (count: number): string => (count === 1 ? "1 host" : `${count} hosts`);

const placed = ({ message, place }: Extract<EngineEvent, { type: "warning" }>): string =>
  place === undefined ? message : `${place}: ${message}`;

export function timeOfDay(atMs: number): string {
  const at = new Date(atMs);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}
