/** What goes on right now, drawn by listr2 and wiped when it is over: one line a host while its task runs. */

import { type DefaultRenderer, Listr, type ListrTaskWrapper, type SimpleRenderer } from "listr2";
import { visibleWidth } from "./fit-text.ts";

export interface LiveTask {
  progress(host: string, what: string): void;
  done(host: string): void;
  /** Wiped from the screen. */
  end(): Promise<void>;
}

interface Row {
  readonly host: string;
  finish: () => void;
  wrapper: ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer> | undefined;
  readonly ended: Promise<void>;
}

/** More hosts than rows: the last row says how many there are besides. */
const rowsLimit = 12;

export function showLive(title: string, hosts: readonly string[], columns: number): LiveTask {
  const most = Math.min(rowsLimit, Math.max(1, (process.stdout.rows ?? 24) - 6));
  const shorten = (text: string): string =>
    text.length > columns - 8 ? `${text.slice(0, columns - 9)}…` : text;
  const rows = new Map<string, Row>(hosts.slice(0, most).map((host) => [host, rowOf(host)]));
  let hidden = Math.max(0, hosts.length - most);
  const rest = rowOf("rest");
  const listr = new Listr<unknown>(
    [
      {
        title: shorten(title),
        task: (_context, task) =>
          task.newListr(
            [...rows.values(), ...(hidden > 0 ? [rest] : [])].map((row) => ({
              title: row === rest ? `and ${hidden} more hosts` : row.host,
              task: async (_inner, wrapper): Promise<void> => {
                row.wrapper = wrapper;
                await row.ended;
              },
            })),
            { concurrent: true },
          ),
      },
    ],
    {
      concurrent: false,
      exitOnError: false,
      // Its own listener would end the process at once, with 127 and commands left running on hosts.
      registerSignalListeners: false,
      rendererOptions: { clearOutput: true, collapseSubtasks: false, formatOutput: "truncate" },
    },
  );
  const drawn = (): readonly string[] => [
    title,
    ...[...rows.values()].map((row) => row.wrapper?.title ?? row.host),
    ...(hidden > 0 ? ["and 0000 more hosts"] : []),
  ];
  const stopWatching = eraseWhenNarrowed(drawn);
  const running = listr.run();
  return {
    progress: (host, what) => {
      const wrapper = rows.get(host)?.wrapper;
      if (wrapper !== undefined) wrapper.title = shorten(`${host}: ${what}`);
    },
    done: (host) => {
      const row = rows.get(host);
      if (row !== undefined) row.finish();
      else if (--hidden <= 0) rest.finish();
      else if (rest.wrapper !== undefined) rest.wrapper.title = `and ${hidden} more hosts`;
    },
    end: async () => {
      for (const row of [...rows.values(), rest]) row.finish();
      await running;
      stopWatching();
    },
  };
}

/** Before the title stands its sign, and before a host its indentation besides. */
const signColumns = (index: number): number => (index === 0 ? 2 : 4);

/** These show long lines cut, and do not break them anew when the window is made narrower. */
const keepsLines = (env: NodeJS.ProcessEnv): boolean =>
  env["XTERM_VERSION"] !== undefined || env["STY"] !== undefined || env["TERM"] === "linux";

/**
 * A window that is made narrower breaks what was drawn into more rows than the library wipes. They are wiped here, and as
 * many empty ones left as it believes to have drawn.
 */
function eraseWhenNarrowed(drawn: () => readonly string[]): () => void {
  const { stdout, env } = process;
  // The library takes write away while it draws.
  const write = stdout.write.bind(stdout);
  let before = stdout.columns;
  const resized = (): void => {
    const { columns } = stdout;
    const widths = drawn().map((text, index) =>
      Math.min(visibleWidth(text) + signColumns(index), before - 2),
    );
    const rows = widths.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    before = columns;
    if (rows > widths.length && !keepsLines(env))
      write(`\u001b[${rows}A\r\u001b[J${"\n".repeat(widths.length)}`);
  };
  stdout.on("resize", resized);
  return () => void stdout.off("resize", resized);
}

function rowOf(host: string): Row {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { host, finish: resolve, wrapper: undefined, ended: promise };
}
