/** Events → lines for a terminal. Lines of one task are held until it is done, so that nothing is drawn over. */
import type { EngineEvent, TaskStatus } from "../engine/events.ts";
import { fitted, visibleWidth, wrapped } from "./fit-text.ts";
import {
  cleanText,
  connectFailureLines,
  isWorthTelling,
  ms,
  oneLine,
  paintStatus,
  type TaskHostEvent,
  type TextStyle,
  taskHostDetails,
} from "./task-lines.ts";

interface OpenTask {
  readonly title: string;
  readonly place: string;
  readonly handler: boolean;
  /** What it shows belongs below its own line. */
  readonly isDebug: boolean;
  /** In the inventory's order, in which they are told however they ended. */
  readonly hosts: readonly string[];
  readonly ended: Map<TaskStatus, string[]>;
  readonly details: Detail[];
}

interface Detail extends Told {
  readonly host: string;
}

interface Group extends Told {
  readonly hosts: string[];
}

interface Told {
  readonly item: string | undefined;
  readonly status: TaskStatus;
  readonly steps: string;
  readonly lines: readonly string[];
}

const shownNames = 4;
const leastTitle = 20;
/** Titles are followed by a column of outcomes; longer ones push theirs to the right. */
const mostTitleColumn = 60;
/** Of a loop's items, told at once; -v tells all. */
const shownItems = 10;

/** In which outcomes stand behind a title: the worst first. */
const outcomeOrder: readonly TaskStatus[] = [
  "failed",
  "unreachable",
  "ignored",
  "rescued",
  "changed",
  "would-change",
  "unsure",
  "ok",
  "skipped",
];
/** These are counted; hosts that came to any other end are named. */
const isQuiet = (status: TaskStatus): boolean => status === "ok" || status === "skipped";

export class TerminalLines {
  readonly #style: TextStyle;
  readonly #terminal: { readonly columns: number };
  readonly #open = new Map<number, OpenTask>();
  #role: string | undefined;

  /** `terminal` is asked each time: windows are resized. */
  constructor(style: TextStyle, terminal: { readonly columns: number }) {
    this.#style = style;
    this.#terminal = terminal;
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
          place: event.place,
          handler: event.handler,
          isDebug: event.module === "debug",
          hosts: event.hosts,
          ended: new Map(),
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
        return this.#show(event);
      case "warning":
        return this.#wrap([colours.yellow(`  warning: ${cleanText(this.#style, event.message).trimEnd()}`)]);
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
    return [this.#style.colours.cyan(`  ${role === undefined ? "tasks" : oneLine(this.#style, role)}`)];
  }

  #unreachable(event: Extract<EngineEvent, { type: "connect" }>): string[] {
    return [
      this.#style.colours.red(`  ✖ ${event.host} cannot be reached`),
      ...this.#wrap(connectFailureLines(event, this.#style).map((line) => `      ${line}`)),
    ];
  }

  /** A prompt must be seen at once, what debug shows comes with its task. */
  #show({ host, text }: Extract<EngineEvent, { type: "show" }>): string[] {
    const lines = cleanText(this.#style, text).split("\n");
    const task = [...this.#open.values()].find(({ isDebug, hosts }) => isDebug && hosts.includes(host));
    if (task === undefined) return lines.map((line) => `      ${host}: ${line}`);
    const [only] = lines;
    const isShort = lines.length === 1 && only !== undefined && host.length + only.length < 60;
    const detail = { host, item: undefined, status: "ok" as const };
    task.details.push(isShort ? { ...detail, steps: only, lines: [] } : { ...detail, steps: "", lines });
    return [];
  }

  #taskHost(event: TaskHostEvent): void {
    const task = this.#open.get(event.id);
    if (task === undefined) return;
    const { host, item, status } = event;
    if (item === undefined) task.ended.set(status, [...(task.ended.get(status) ?? []), host]);
    // Its items have told it all.
    const hasTold =
      item === undefined && task.details.some((told) => told.host === host && told.item !== undefined);
    if (hasTold || !isWorthTelling(event, this.#style.verbosity)) return;
    const { message: _shown, ...rest } = event;
    // What debug says has been shown.
    const told = task.isDebug && status === "ok" ? rest : event;
    const lines = taskHostDetails(told, this.#style, task.place);
    const tellsSteps = this.#style.verbosity === 0 && event.failure === undefined;
    const steps = tellsSteps ? cleanText(this.#style, event.steps.join(", ")) : "";
    if (lines.length > 0 || steps !== "") task.details.push({ host, item, status, steps, lines });
  }

  #taskEnd(event: Extract<EngineEvent, { type: "task-end" }>): string[] {
    const task = this.#open.get(event.id);
    this.#open.delete(event.id);
    if (task === undefined) return [];
    const statuses = [...task.ended.keys()];
    if (statuses.every((status) => status === "skipped") && this.#style.verbosity === 0) return [];
    const time = event.elapsedMs >= 1000 ? this.#style.colours.grey(`  ${ms(event.elapsedMs)}`) : "";
    const title = oneLine(this.#style, (task.handler ? "handler: " : "") + task.title);
    const room = this.#terminal.columns - "    ✔   ".length - visibleWidth(time);
    const column = Math.min(mostTitleColumn, this.#terminal.columns >> 1);
    const named = this.#tallies(task, shownNames);
    const isNamed = room - visibleWidth(named) >= column;
    const tail = isNamed ? named : this.#tallies(task, 0);
    const shown = fitted(title, Math.max(leastTitle, room - visibleWidth(tail)));
    const padding = " ".repeat(
      Math.max(0, Math.min(column, room - visibleWidth(tail)) - visibleWidth(shown)),
    );
    return [
      `    ${this.#icon(statuses)} ${shown}${padding}  ${tail}${time}`,
      ...this.#wrap(this.#detailLines(task, isNamed)),
    ];
  }

  /** Hosts that have the same to tell tell it together; the line above has named them when there is nothing else. */
  #detailLines({ hosts, ended, details }: OpenTask, isNamed: boolean): string[] {
    const order = new Map(hosts.map((host, index) => [host, index]));
    const place = ({ host }: Detail): number => order.get(host) ?? hosts.length;
    const groups = new Map<string, Group>();
    for (const detail of [...details].sort((a, b) => place(a) - place(b))) {
      const { host, ...rest } = detail;
      const key = JSON.stringify(rest);
      const known = groups.get(key);
      if (known === undefined) groups.set(key, { ...detail, hosts: [host] });
      else known.hosts.push(host);
    }
    const all = this.#withoutManyItems([...groups.values()]);
    const [only, second] = all.groups;
    const named = [...ended].filter(([status]) => !isQuiet(status)).flatMap(([, those]) => those);
    if (only !== undefined && second === undefined && only.item === undefined) {
      const { length } = only.hosts;
      if (length === hosts.length || (isNamed && length === named.length && !isQuiet(only.status)))
        return [only.steps, ...only.lines].filter((line) => line !== "").map((line) => `        ${line}`);
    }
    return [...all.groups.flatMap((group) => this.#detail(group)), ...all.more];
  }

  /** Long loops: what an item did is told of the first ones, why one failed of all. */
  #withoutManyItems(groups: readonly Group[]): { groups: readonly Group[]; more: readonly string[] } {
    if (this.#style.verbosity > 0) return { groups, more: [] };
    let items = 0;
    const kept = groups.filter(({ item, lines }) => {
      return item === undefined || lines.length > 0 || ++items <= shownItems;
    });
    const more = groups.length - kept.length;
    return {
      groups: kept,
      more: more === 0 ? [] : [this.#style.colours.grey(`      and ${more} more items: -v shows them`)],
    };
  }

  #detail({ item, status, steps, lines, hosts }: Group): string[] {
    const some = hosts.slice(0, shownNames).join(", ");
    const names = hosts.length > shownNames ? `${some} and ${hosts.length - shownNames} more` : some;
    const suffix = item === undefined ? "" : oneLine(this.#style, ` [${item}]`);
    const nameRoom = Math.max(
      leastTitle,
      this.#terminal.columns - 6 - Math.min(visibleWidth(suffix), this.#terminal.columns >> 1),
    );
    const head = this.#fit(`${fitted(oneLine(this.#style, names), nameRoom)}${suffix}`, 6);
    const label = paintStatus(status, this.#style.colours, head);
    const room = this.#terminal.columns - 8 - visibleWidth(head);
    const isBeside = steps !== "" && room >= Math.min(leastTitle, visibleWidth(steps));
    return [
      `      ${label}${isBeside ? `  ${fitted(steps, room)}` : ""}`,
      ...(isBeside || steps === "" ? [] : [`        ${this.#fit(steps, 8)}`]),
      ...lines.map((line) => `        ${line}`),
    ];
  }

  #icon(statuses: readonly TaskStatus[]): string {
    const { colours } = this.#style;
    if (statuses.includes("failed") || statuses.includes("unreachable")) return colours.red("✖");
    if (statuses.includes("ignored") || statuses.includes("rescued")) return colours.yellow("!");
    if (statuses.includes("changed") || statuses.includes("would-change")) return colours.yellow("✔");
    return statuses.includes("unsure") ? colours.yellow("?") : colours.green("✔");
  }

  /** ok and skipped are counted, the rest is named while that is short. */
  #tallies({ hosts, ended }: OpenTask, mostNames: number): string {
    const place = (host: string): number => hosts.indexOf(host);
    const tally = ([status, those]: [TaskStatus, string[]]): string => {
      const isCounted = isQuiet(status) || those.length > mostNames;
      const names = isCounted
        ? String(those.length)
        : [...those].sort((a, b) => place(a) - place(b)).join(", ");
      return paintStatus(status, this.#style.colours, cleanText(this.#style, `${status} ${names}`));
    };
    const rank = ([status]: [TaskStatus, string[]]): number => outcomeOrder.indexOf(status);
    return [...ended]
      .sort((a, b) => rank(a) - rank(b))
      .map(tally)
      .join("  ");
  }

  #wrap(lines: readonly string[]): string[] {
    return lines.flatMap((line) => wrapped(line, this.#terminal.columns));
  }

  #fit(text: string, less = 2): string {
    return fitted(text, Math.max(leastTitle, this.#terminal.columns - less));
  }
}
