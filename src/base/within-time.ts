/** Ends synchronous work that takes too long. V8 can be interrupted only while it runs a script under a time limit. */
import { type Context, createContext, Script } from "node:vm";

export type WithinTime<T> = { readonly made: T } | { readonly tookTooLong: true };

let room: { readonly context: Context & { work: () => void }; readonly script: Script } | undefined;

/** Costs some 50 µs beyond the work itself. */
export function withinTime<T>(limitMs: number, work: () => T): WithinTime<T> {
  room ??= {
    context: createContext({ work: () => {} }) as Context & { work: () => void },
    script: new Script("work()"),
  };
  const { context, script } = room;
  const outer = context.work;
  let made: { readonly made: T } | undefined;
  context.work = () => {
    made = { made: work() };
  };
  try {
    script.runInContext(context, { timeout: limitMs });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT")
      return { tookTooLong: true };
    throw error;
  } finally {
    context.work = outer;
  }
  return made ?? { tookTooLong: true };
}
