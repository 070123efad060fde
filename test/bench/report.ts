/** docs/benchmarks.md and docs/benchmarks.json. */
import { readFile, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { join } from "node:path";
import { roundTripMs } from "./bench-hosts.ts";
import type { ChangeResult, LoopResult } from "./changes.ts";
import type { FilesResult, ScaleResult, StartResult } from "./further-runs.ts";
import type { Row } from "./measure.ts";

const root = join(import.meta.dirname, "../..");

export interface Results {
  readonly rows: readonly Row[];
  readonly delayedBy: string;
  readonly files: FilesResult;
  readonly loops: readonly LoopResult[];
  readonly change: ChangeResult;
  readonly scale: readonly ScaleResult[];
  readonly start: readonly StartResult[];
}

const two = (value: number): string => value.toFixed(2);
const roundTrips = ({ delayS }: Row): number | undefined =>
  delayS === undefined ? undefined : (delayS * 1000) / roundTripMs;

export async function report(results: Results): Promise<string> {
  const version = JSON.parse(await readFile(join(root, "package.json"), "utf8")).version as string;
  const machine = {
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  const date = new Date().toISOString();
  const text = `${[
    "# Benchmarks",
    "",
    `Written by \`npm run bench\` on ${date.slice(0, 10)}: version ${version}, Node ${machine.node}, ${machine.cores} cores, ${machine.memoryGiB} GiB. What counts are the ratios; the machine is whatever it is, and hosts and contenders share it.`,
    "",
    ...contest(results),
    "",
    ...changing(results),
    "",
    ...further(results),
  ].join("\n")}\n`;
  await writeFile(join(root, "docs/benchmarks.md"), text);
  const rows = results.rows.map((row) => ({ ...row, roundTrips: roundTrips(row) }));
  const json = JSON.stringify({ date, version, ...machine, roundTripMs, ...results, rows }, null, 2);
  await writeFile(join(root, "docs/benchmarks.json"), `${json}\n`);
  return text;
}

function contest({ rows, delayedBy }: Results): string[] {
  const mine = rows.find(({ name }) => name === "provision");
  if (mine === undefined) throw new Error("our own run failed: there is nothing to compare");
  const hand = rows.find(({ name }) => name === "hand-written ssh script");
  const node = rows.find(({ name }) => name === "start of Node");
  const goal =
    hand === undefined || node === undefined
      ? []
      : [
          "",
          `The script's time × 1.5 and the start of Node together are ${two(hand.nearS * 1.5 + node.nearS)} s; provision takes ${two(mine.nearS)} s.`,
        ];
  return [
    "## Nothing to change",
    "",
    `Five hosts in Docker, a site of 30 tasks, nothing to change. Medians of whole processes, run in turns. The delay of ${roundTripMs} ms is made by ${delayedBy}; round trips are (delayed − near) / ${roundTripMs} ms of the fastest runs, with connecting, handshake and the opening of shells (an \`ssh host true\` alone needs as many as the script by hand).`,
    "",
    `| | s | × provision | s at ${roundTripMs} ms | round trips |`,
    "|---|---|---|---|---|",
    ...rows
      .filter((row) => row !== node)
      .map((row) => {
        const trips = roundTrips(row);
        return `| ${row.name} | ${two(row.nearS)} | ${(row.nearS / mine.nearS).toFixed(1)} | ${row.farS === undefined ? "–" : two(row.farS)} | ${trips === undefined ? "–" : trips.toFixed(1)} |`;
      }),
    ...goal,
  ];
}

function changing({ change, loops }: Results): string[] {
  const { nearS, farS, changedTasks, messages } = change;
  return [
    "## Everything to change",
    "",
    `The same site on hosts that have nothing of it but the packages: ${two(nearS)} s, and ${two(farS)} s at ${roundTripMs} ms. ${changedTasks} changed tasks cost a host ${messages} messages, the first questions included.`,
    "",
    "Loops of a thousand items, all to change, on one host; by hand: the same loop in one `ssh host sudo sh`.",
    "",
    "| | s | by hand, s | messages |",
    "|---|---|---|---|",
    ...loops.map(
      ({ what, provisionS, byHandS, messages: sent }) =>
        `| ${what} | ${two(provisionS)} | ${two(byHandS)} | ${sent} |`,
    ),
  ];
}

function further({ files, scale, start }: Results): string[] {
  return [
    "## A thousand small files by one loop, to one host",
    "",
    "| | s |",
    "|---|---|",
    `| \`tar \\| ssh tar x\` | ${two(files.tarS)} |`,
    `| provision | ${two(files.provisionS)} |`,
    "",
    "## Many hosts (names of five machines), nothing to change",
    "",
    "| hosts | s | CPU of the controller, s | CPU a host, ms | peak memory, MiB |",
    "|---|---|---|---|---|",
    ...scale.map(
      ({ hosts, seconds, cpuS, peakMiB }) =>
        `| ${hosts} | ${two(seconds)} | ${two(cpuS)} | ${((cpuS * 1000) / hosts).toFixed(1)} | ${Math.round(peakMiB)} |`,
    ),
    "",
    "## Start",
    "",
    "| | ms |",
    "|---|---|",
    ...start.map(({ what, ms }) => `| ${what} | ${Math.round(ms)} |`),
  ];
}
