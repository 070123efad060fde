import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { StoreUnavailable } from "./store.ts";

/** Holds a folder for this process; gives how to let it go. A holder that has died does not count. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock");
  const own = `${process.pid} ${await startOf(process.pid)}`;
  for (let isRetry = false; ; isRetry = true) {
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(own);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
      await refuseIfHeld(path, folder, isRetry);
      await rm(path, { force: true });
    }
  }
}

async function refuseIfHeld(path: string, folder: string, isRetry: boolean): Promise<void> {
  const [pid = "", start = ""] = (await readFile(path, "utf8").catch(() => "")).split(" ");
  const isHeld = /^\d+$/.test(pid) && isAlive(Number(pid)) && (await startOf(Number(pid))) === start;
  if (!isHeld && !isRetry) return;
  throw new StoreUnavailable(`Cannot use "${folder}": process ${pid} uses it`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process started, in clock ticks since boot; "" where /proc is not. A pid alone may be somebody else's by now. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}
