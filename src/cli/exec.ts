/** `provision exec PATTERN -- COMMAND…`: one command everywhere, its output by host. */
import { adHocPlaybook, mapOf, place, scalar } from "./ad-hoc.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { badUsage, describeOptions, parseOptions } from "./parse-options.ts";
import { prepareRun } from "./prepare-run.ts";
import { reportOutputs } from "./report-outputs.ts";
import {
  changeOptions,
  connectionOptions,
  inventoryOptions,
  outputOptions,
  variableOptions,
} from "./run-options.ts";

const specs = [
  ...inventoryOptions,
  ...variableOptions,
  ...changeOptions,
  ...connectionOptions,
  ...outputOptions,
];

export async function execCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const options = parseOptions(specs, argv);
  if (options.has("help")) {
    io.stdout(
      `provision exec PATTERN [-i INVENTORY] [-b] -- COMMAND…\n\nOne word after -- goes through a shell, several are the command's own arguments.\n\n${describeOptions(specs, io.columns)}\n`,
    );
    return exitCodes.fine;
  }
  const [pattern, surplus] = options.rest;
  const words = options.afterDashes ?? [];
  if (pattern === undefined || surplus !== undefined || words.length === 0) {
    throw badUsage(
      pattern === undefined
        ? "no hosts are named"
        : words.length === 0
          ? "no command stands after --"
          : `"${surplus}" stands before --`,
      "exec takes a pattern of hosts, and after -- the command",
      `provision exec ${pattern ?? "all"} -- ${words.length > 0 ? words.join(" ") : (surplus ?? "uptime")}`,
    );
  }
  const [only, ...more] = words;
  const list = { kind: "list", span: place, items: words.map((word) => scalar(word, true)) } as const;
  const task =
    more.length === 0
      ? { shell: mapOf({ cmd: scalar(only ?? "", true) }) }
      : { command: mapOf({ argv: list }) };
  const prepared = await prepareRun({
    options,
    io,
    playbooks: () => [adHocPlaybook({ pattern, task, cwd: io.cwd })],
  });
  return reportOutputs(prepared, options, io);
}
