/** Ends synchronous work that takes too long. V8 can be interrupted only while it runs a script under a time limit. */
import { type Context, createContext, Script } from "node:vm";

export type WithinTime<T> = { readonly made: T; readonly cpuMs: number } | { readonly tookTooLong: true };

interface Room {
  readonly context: Context & { work: () => void };
  readonly script: Script;
}
let room: Room | undefined;
const newRoom = (): Room => ({
  context: createContext({ work: () => {} }) as Room["context"],
  script: new Script("work()"),
});

/** How often the time is doubled for a machine that was busy with others. */
const longest = 4;

/**
 * `limitMs` of the processor: the watch can only tell time, so work that was stopped before it had that much begins
 * again with twice the time. It must not mind beginning again. Costs some 50 µs beyond the work itself.
 */
export function withinTime<T>(limitMs: number, work: () => T): WithinTime<T> {
  for (let turn = 0; turn < longest; turn++) {
    const before = process.cpuUsage();
    const done = attempt(limitMs * 2 ** turn, work);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1000;
    if (done !== undefined) return { made: done.made, cpuMs };
    if (cpuMs >= limitMs * enough) break;
  }
  return { tookTooLong: true };
}
/** Of the limit: the watch itself is not exact. */
const enough = 0.8;

function attempt<T>(timeout: number, work: () => T): { readonly made: T } | undefined {
  room ??= newRoom();
  const { context, script } = room;
  const outer = context.work;
  let made: { readonly made: T } | undefined;
  context.work = () => {
    made = { made: work() };
  };
  try {
    script.runInContext(context, { timeout });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  } finally {
    context.work = outer;
  }
  return made;
}
