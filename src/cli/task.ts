/** `provision task PATTERN -m MODULE -a ARGS`: one module everywhere. */
import { parseYaml } from "../provisioning/source/parse-yaml.ts";
import { adHocPlaybook, mapOf, scalar } from "./ad-hoc.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { badUsage, describeOptions, type OptionSpec, parseOptions } from "./parse-options.ts";
import { prepareRun } from "./prepare-run.ts";
import { reportRun } from "./report-run.ts";
import {
  changeOptions,
  connectionOptions,
  inventoryOptions,
  outputOptions,
  variableOptions,
} from "./run-options.ts";

const specs: readonly OptionSpec[] = [
  { long: "module-name", short: "m", aliases: ["module"], takes: "MODULE", help: "the module (command)" },
  { long: "args", short: "a", takes: "ARGS", help: 'its arguments: name=value …, or {"name": …}' },
  ...inventoryOptions,
  ...variableOptions,
  ...changeOptions,
  ...connectionOptions,
  ...outputOptions,
];

export async function taskCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const options = parseOptions(specs, argv);
  if (options.has("help")) {
    io.stdout(
      `provision task PATTERN [-i INVENTORY] -m MODULE -a ARGS\n\n${describeOptions(specs, io.columns)}\n`,
    );
    return exitCodes.fine;
  }
  const [pattern, surplus] = options.rest;
  if (pattern === undefined || surplus !== undefined) {
    throw badUsage(
      pattern === undefined ? "no hosts are named" : `"${surplus}" stands after the pattern`,
      "task takes a pattern of hosts; the module and its arguments are options",
      `provision task ${pattern ?? "all"} -m ping`,
    );
  }
  const module = options.value("module-name") ?? "command";
  const text = options.value("args")?.trim() ?? "";
  const given = /^[{[]/.test(text) ? parseYaml(text, "--args") : text === "" ? mapOf({}) : scalar(text);
  const prepared = await prepareRun({
    options,
    io,
    playbooks: () => [adHocPlaybook({ pattern, task: { [module]: given }, cwd: io.cwd })],
  });
  return reportRun(prepared, options, io);
}
