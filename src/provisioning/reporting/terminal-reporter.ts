/**
 * For people: plays, roles and tasks, one line each when they are done; what changed or failed in detail; and while a
 * task takes longer than a moment, its hosts as they go (live-task.ts).
 */
import type { EngineEvent } from "../engine/events.ts";
import { palette } from "./colour.ts";
import { wrapped } from "./fit-text.ts";
import { type LiveTask, showLive } from "./live-task.ts";
import { TaskProfile } from "./profile.ts";
import { recapLines } from "./recap.ts";
import type { Reporter, ReporterOptions } from "./reporter.ts";
import { cleanText, type TextStyle } from "./task-lines.ts";
import { TerminalLines } from "./terminal-lines.ts";

/** A task that is over sooner is not drawn while it runs: a screen that flickers says nothing. */
const liveAfterMs = 150;

export function terminalReporter(options: ReporterOptions): Reporter {
  const style: TextStyle = { ...options, colours: palette(options.colour) };
  const screen = new Screen(options);
  const lines = new TerminalLines(style, options);
  const profile = options.profile ? new TaskProfile() : undefined;
  return {
    report: (event) => {
      profile?.add(event);
      screen.before(event, cleanText(style, lines.title(event)));
      screen.print(lines.of(event));
      if (event.type === "run-end") screen.print(ending(event, style, profile, options.columns));
    },
    hold: () => screen.hold(),
    close: () => screen.close(),
  };
}

function ending(
  event: Extract<EngineEvent, { type: "run-end" }>,
  style: TextStyle,
  profile: TaskProfile | undefined,
  columns: number,
): string[] {
  const slow = (profile?.lines(style) ?? []).flatMap((line) => wrapped(line, columns));
  return ["", ...(slow.length > 0 ? [...slow, ""] : []), ...recapLines(event, style, columns)];
}

interface Shown {
  readonly id: number | "connect";
  readonly title: string;
  /** Read when it is drawn: more may have come by then, and others gone. */
  readonly hosts: Set<string>;
}

/** Keeps the order: what is drawn live is wiped before anything is printed, and drawn again only for the next task. */
class Screen {
  readonly #options: ReporterOptions;
  #queue: Promise<void> = Promise.resolve();
  #live: LiveTask | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The task that may be drawn; a second one at the same time (strategy free) is told when it is done. */
  #shown: Shown | undefined;
  readonly #connecting = new Set<string>();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  before(event: EngineEvent, title: string): void {
    if (event.type === "task-start" && this.#shown === undefined)
      this.#announce({ id: event.id, title, hosts: new Set(event.hosts) });
    else if (event.type === "connect") this.#connect(event);
    else if (event.type === "task-progress" && event.id === this.#shown?.id)
      this.#live?.progress(event.host, event.what);
    else if (event.type === "task-host" && event.id === this.#shown?.id && event.item === undefined)
      this.#done(event.host);
    else if (event.type === "task-end" && event.id === this.#shown?.id) this.#wipe();
    else if (event.type === "run-end") this.#wipe();
  }

  #connect(event: Extract<EngineEvent, { type: "connect" }>): void {
    if (event.state === "connecting") {
      this.#connecting.add(event.host);
      if (this.#shown === undefined)
        this.#announce({ id: "connect", title: "connecting", hosts: this.#connecting });
      return;
    }
    this.#connecting.delete(event.host);
    if (this.#shown?.id !== "connect") return;
    this.#done(event.host);
    if (this.#connecting.size === 0) this.#wipe();
  }

  #announce(shown: Shown): void {
    this.#shown = shown;
    this.#timer = setTimeout(() => {
      this.#queue = this.#queue.then(() => {
        if (this.#shown === shown && shown.hosts.size > 0)
          this.#live = showLive(shown.title, [...shown.hosts], this.#options.columns);
      });
    }, liveAfterMs);
  }

  #done(host: string): void {
    this.#shown?.hosts.delete(host);
    this.#live?.done(host);
  }

  #wipe(): void {
    clearTimeout(this.#timer);
    this.#shown = undefined;
    this.#queue = this.#queue.then(async () => {
      const live = this.#live;
      this.#live = undefined;
      await live?.end();
    });
  }

  /** What is drawn makes room for a question, and so does what would be printed meanwhile. */
  hold(): Promise<() => void> {
    const shown = this.#shown;
    this.#wipe();
    this.#shown = shown;
    const wiped = this.#queue;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#queue = wiped.then(() => promise);
    return wiped.then(() => () => {
      resolve();
      if (shown !== undefined && this.#shown === shown) this.#announce(shown);
    });
  }

  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const text = `${lines.join("\n")}\n`;
    this.#queue = this.#queue.then(() => this.#options.write(text));
  }

  async close(): Promise<void> {
    this.#wipe();
    await this.#queue;
  }
}
