/** Tests of registered results and of the controller's own files. */
import { lstatSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { truth } from "../compare.ts";
import { asText, type Invocation, parameters, type Test } from "../runtime.ts";
import { aTypeName, Fault, isList, isMapping, mappingGet, type Value } from "../value.ts";

const flag = (result: Value, name: string, test: string): boolean => {
  if (!isMapping(result))
    throw new Fault(`${test} is for a registered result, and ${aTypeName(result)} was given`);
  const found = mappingGet(result, name);
  return found !== undefined && truth(found);
};
const failed: Test = (input) => flag(input, "failed", "failed");
const succeeded: Test = (input) =>
  !flag(input, "failed", "succeeded") && !flag(input, "unreachable", "succeeded");

function changed(input: Value): boolean {
  if (flag(input, "changed", "changed")) return true;
  const results =
    isMapping(input) && mappingGet(input, "changed") === undefined ? mappingGet(input, "results") : undefined;
  return (
    results !== undefined &&
    isList(results) &&
    results.some((one) => isMapping(one) && flag(one, "changed", "changed"))
  );
}
const skipped: Test = (input) => flag(input, "skipped", "skipped");

function statusOf(path: Value, call: Invocation, follow = true): Stats | undefined {
  call.runtime.markImpure();
  const options = { throwIfNoEntry: false } as const;
  return follow ? statSync(asText(path), options) : lstatSync(asText(path), options);
}
const onDisk =
  (holds: (stats: Stats) => boolean, follow = true): Test =>
  (input, call) => {
    const stats = statusOf(input, call, follow);
    return stats !== undefined && holds(stats);
  };
const directory = onDisk((stats) => stats.isDirectory());
const file = onDisk((stats) => stats.isFile());
const link = onDisk((stats) => stats.isSymbolicLink(), false);
const exists = onDisk(() => true);

/** Another device than the folder above, or no folder above at all. */
const mount: Test = (input, call) => {
  const here = statusOf(input, call);
  const above = here === undefined ? undefined : statusOf(join(asText(input), ".."), call);
  return here !== undefined && above !== undefined && (here.dev !== above.dev || here.ino === above.ino);
};
const sameFile: Test = (input, call) => {
  const [one, other] = [input, parameters(call, ["path"], 1)[0] ?? null].map((path) => {
    const stats = statusOf(path, call);
    if (stats === undefined) throw new Fault(`same_file finds no "${asText(path)}"`);
    return stats;
  });
  return one?.dev === other?.dev && one?.ino === other?.ino;
};

export const hostTests: Readonly<Record<string, Test>> = {
  failed,
  failure: failed,
  succeeded,
  success: succeeded,
  successful: succeeded,
  changed,
  change: changed,
  skipped,
  skip: skipped,
  finished: (input) => flag(input, "finished", "finished"),
  started: (input) => flag(input, "started", "started"),
  reachable: (input) => !flag(input, "unreachable", "reachable"),
  unreachable: (input) => flag(input, "unreachable", "unreachable"),
  timedout: (input) => flag(input, "timedout", "timedout"),
  directory,
  is_dir: directory,
  file,
  is_file: file,
  link,
  is_link: link,
  exists,
  mount,
  is_mount: mount,
  same_file: sameFile,
  is_same_file: sameFile,
  link_exists: onDisk(() => true, false),
  abs: (input) => asText(input).startsWith("/"),
  is_abs: (input) => asText(input).startsWith("/"),
};
