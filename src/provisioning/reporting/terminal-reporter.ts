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

/** Keeps the order: what is drawn live is wiped before anything is printed, and drawn again only for the next task. */
class Screen {
  readonly #options: ReporterOptions;
  #queue: Promise<void> = Promise.resolve();
  #live: LiveTask | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** The task that may be drawn; a second one at the same time (strategy free) is told when it is done. */
  #shownId: number | "connect" | undefined;
  readonly #connecting = new Set<string>();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  before(event: EngineEvent, title: string): void {
    if (event.type === "task-start" && this.#shownId === undefined)
      this.#announce(event.id, title, event.hosts);
    else if (event.type === "connect") this.#connect(event);
    else if (event.type === "task-progress" && event.id === this.#shownId)
      this.#live?.progress(event.host, event.what);
    else if (event.type === "task-host" && event.id === this.#shownId && event.item === undefined)
      this.#live?.done(event.host);
    else if (event.type === "task-end" && event.id === this.#shownId) this.#wipe();
    else if (event.type === "run-end") this.#wipe();
  }

  #connect(event: Extract<EngineEvent, { type: "connect" }>): void {
    if (event.state === "connecting") {
      this.#connecting.add(event.host);
      if (this.#shownId === undefined) this.#announce("connect", "connecting", this.#connecting);
      return;
    }
    this.#connecting.delete(event.host);
    if (this.#shownId !== "connect") return;
    this.#live?.done(event.host);
    if (this.#connecting.size === 0) this.#wipe();
  }

  /** `hosts` is read when it is drawn: more may have come by then. */
  #announce(id: number | "connect", title: string, hosts: Iterable<string>): void {
    this.#shownId = id;
    this.#timer = setTimeout(() => {
      this.#queue = this.#queue.then(() => {
        if (this.#shownId === id) this.#live = showLive(title, [...hosts], this.#options.columns);
      });
    }, liveAfterMs);
  }

  #wipe(): void {
    clearTimeout(this.#timer);
    this.#shownId = undefined;
    this.#queue = this.#queue.then(async () => {
      const live = this.#live;
      this.#live = undefined;
      await live?.end();
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
