/** Runs contenders turn by turn, so that whatever else the machine does weighs on all of them alike. */
import { spawn } from "node:child_process";
import type { Inventories } from "./bench-hosts.ts";
import type { Command, Contender } from "./contenders.ts";

const commandTimeoutMs = 200_000;

export interface Row {
  readonly name: string;
  readonly nearS: number;
  readonly farS: number | undefined;
  /** From the fastest runs, which other work on the machine disturbed least. */
  readonly delayS: number | undefined;
}

export interface Timed {
  readonly seconds: number;
  readonly output: string;
}

export async function measure(
  contenders: readonly Contender[],
  inventories: Inventories,
  say: (text: string) => void,
): Promise<readonly Row[]> {
  const near = await inTurns(contenders, "nearRuns", inventories.near, say);
  const far = await inventories.delayed(() => inTurns(contenders, "farRuns", inventories.far, say));
  return contenders.flatMap(({ name }) => {
    const nearS = medianOf(near.get(name) ?? []);
    if (nearS === undefined) return [];
    const fars = far.get(name) ?? [];
    const delayS =
      fars.length === 0 ? undefined : Math.min(...fars) - Math.min(...(near.get(name) ?? [nearS]));
    return [{ name, nearS, farS: medianOf(fars), delayS }];
  });
}

/** A contender that fails is left out, and said so; each warms up in a first run that does not count, if it has several. */
async function inTurns(
  contenders: readonly Contender[],
  runs: "nearRuns" | "farRuns",
  inventory: string,
  say: (text: string) => void,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const times = new Map<string, number[]>();
  const failed = new Set<string>();
  const most = Math.max(...contenders.map((contender) => contender[runs]));
  for (let turn = 0; turn <= most; turn++) {
    for (const contender of contenders) {
      const { name } = contender;
      const isWarmUp = turn === 0;
      const count = contender[runs];
      if (failed.has(name) || turn > count || (isWarmUp && count < 3)) continue;
      try {
        const { seconds } = await timed(contender.command(inventory));
        if (!isWarmUp) times.set(name, [...(times.get(name) ?? []), seconds]);
        say(`${runs === "farRuns" ? "delayed: " : ""}${name}: ${seconds.toFixed(2)} s`);
      } catch (error) {
        failed.add(name);
        say(`${name} is left out: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
  return times;
}

export function medianOf(times: readonly number[]): number | undefined {
  return [...times].sort((a, b) => a - b)[Math.floor((times.length - 1) / 2)];
}

export function timed({ argv, env }: Command): Promise<Timed> {
  const [program = "", ...args] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<Timed>();
  const started = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: commandTimeoutMs,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-4_000);
    });
  }
  child.on("error", reject);
  child.on("close", (code, signal) => {
    if (code === 0) resolve({ seconds: (performance.now() - started) / 1000, output });
    else reject(new Error(`${program} ended with ${code ?? signal}:\n${output}`));
  });
  return promise;
}
