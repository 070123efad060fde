/** `provision forget INVENTORY [HANDLER…]`: handlers that hosts owe from an earlier run are owed no more. */
import { forgetOwedHandlers } from "../provisioning/engine/forget-owed.ts";
import { stripControls } from "../provisioning/reporting/printable.ts";
import { adHocPlaybook, mapOf, scalar } from "./ad-hoc.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { describeOptions, parseOptions } from "./parse-options.ts";
import { prepareRun } from "./prepare-run.ts";
import { connectionOptions, inventoryOptions, outputOptions, variableOptions } from "./run-options.ts";

const specs = [...inventoryOptions, ...variableOptions, ...connectionOptions, ...outputOptions];

export async function forgetCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const options = parseOptions(specs, argv);
  if (options.has("help")) {
    io.stdout(`provision forget INVENTORY [HANDLER…]\n\n${describeOptions(specs, io.columns)}\n`);
    return exitCodes.fine;
  }
  const [first, ...others] = options.rest;
  const takesFirst = !options.has("inventory") && first !== undefined;
  const names = takesFirst ? others : options.rest;
  const prepared = await prepareRun({
    options,
    io,
    ...(takesFirst ? { inventory: first } : {}),
    playbooks: () => [
      adHocPlaybook({ pattern: "all", task: { meta: scalar("noop"), vars: mapOf({}) }, cwd: io.cwd }),
    ],
  });
  const forgotten = await forgetOwedHandlers(prepared.request, names, { emit: () => {}, signal: io.signal });
  for (const { host, handlers, failure } of forgotten) {
    if (failure !== undefined) io.stderr(`${host}: ${stripControls(failure)}\n`);
    for (const handler of handlers) io.stdout(`${host}: forgot ${stripControls(handler)}\n`);
  }
  if (forgotten.every(({ handlers, failure }) => handlers.length === 0 && failure === undefined)) {
    io.stdout(names.length === 0 ? "No host owes a handler.\n" : "No host owes a handler of that name.\n");
  }
  return forgotten.some(({ failure }) => failure !== undefined) ? exitCodes.hostUnreachable : exitCodes.fine;
}
