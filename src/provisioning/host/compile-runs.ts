/**
 * Steps of many things that are alike (a thousand folders to make, files to remove, modes to set) in one script, with
 * one program for all of them where it takes many operands. Only programs that do the same when they run again: where
 * one fails, everything is run once more thing by thing, to learn which of them are as wanted.
 */
import { shellQuote, shellWords } from "../../base/shell-quote.ts";
import { limits } from "./limits.ts";
import type { Step } from "./step.ts";

type RunStep = Extract<Step, { do: "run" }>;

/** They act on each operand alone, print nothing, and leave nobody behind. */
const ownPrograms: ReadonlySet<string> = new Set(["chmod", "chown", "chgrp", "ln", "mkdir", "rm", "touch"]);

/** A program of the system's own that ends when it ends: its output needs no watching. */
export const isOwnProgram = ({ argv, stdin }: RunStep): boolean =>
  stdin === undefined && ownPrograms.has(argv[0] ?? "");

/** May be run again, and together with others of its kind. `mkdir` without -p would fail the second time. */
export function isRepeatable(step: Step): step is RunStep {
  if (step.do !== "run" || !isOwnProgram(step) || step.touches === undefined) return false;
  const { argv, env = {}, cwd, umask, okCodes } = step;
  const isPlain = cwd === undefined && umask === undefined && okCodes === undefined && argv.includes("--");
  return isPlain && Object.keys(env).every(isAssignable) && (argv[0] !== "mkdir" || argv[1] === "-p");
}

const isAssignable = (name: string): boolean => /^[A-Za-z_]\w*$/.test(name);

/** What stands before the operands; `ln` takes one link at a time. */
const prefixOf = (step: RunStep): string => {
  const words = step.argv.slice(0, step.argv.indexOf("--") + 1);
  const env = Object.entries(step.env ?? {}).map(([name, value]) => `${name}=${shellQuote(value)} `);
  return env.join("") + shellWords(words);
};
const operandsOf = ({ argv }: RunStep): readonly string[] => argv.slice(argv.indexOf("--") + 1);
const commandOf = (step: RunStep): string => `${prefixOf(step)} ${shellWords(operandsOf(step))}`;

/** The steps of each thing; things see nothing of each other. Prints "done INDEX" when not all went well. */
export function compileRuns(things: readonly (readonly RunStep[])[]): string {
  const most = Math.max(...things.map((steps) => steps.length));
  const together = Array.from({ length: most }, (_, at) =>
    merged(things.flatMap((steps) => steps[at] ?? [])),
  ).flat();
  const alone = things.map(
    (steps, index) => `{ ${steps.map(commandOf).join(" && ")}; } && printf 'done %s\\n' ${index}`,
  );
  return ["exec 2>/dev/null", `{ ${together.join(" &&\n")}; } && exit 0`, ...alone, "exit 1"].join("\n");
}

function merged(steps: readonly RunStep[]): string[] {
  const byPrefix = new Map<string, string[]>();
  const commands: string[] = [];
  for (const step of steps) {
    if (step.argv[0] === "ln") {
      commands.push(commandOf(step));
      continue;
    }
    const prefix = prefixOf(step);
    const operands = byPrefix.get(prefix) ?? [];
    operands.push(...operandsOf(step));
    byPrefix.set(prefix, operands);
  }
  for (const [prefix, operands] of byPrefix)
    commands.push(...chunksOf(operands).map((chunk) => `${prefix} ${shellWords(chunk)}`));
  return commands;
}

function chunksOf(operands: readonly string[]): string[][] {
  const chunks: string[][] = [[]];
  let bytes = 0;
  for (const operand of operands) {
    bytes += 3 * operand.length + 1;
    if (bytes > limits.argumentBytes || (chunks.at(-1)?.length ?? 0) >= limits.argumentCount) {
      chunks.push([]);
      bytes = 3 * operand.length + 1;
    }
    chunks.at(-1)?.push(operand);
  }
  return chunks;
}
