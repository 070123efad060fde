/** `provision task PATTERN -m MODULE -a ARGS`: one module everywhere. */
import { parseYaml } from "../provisioning/source/parse-yaml.ts";
import { mapOf, runAdHoc, scalar } from "./ad-hoc.ts";
import { type CliIo, exitCodes } from "./io.ts";
import {
  badUsage,
  describeOptions,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "./parse-options.ts";
import { adHocOptions } from "./run-options.ts";

const specs: readonly OptionSpec[] = [
  { long: "module-name", short: "m", aliases: ["module"], takes: "MODULE", help: "the module (command)" },
  { long: "args", short: "a", takes: "ARGS", help: 'its arguments: name=value …, or {"name": …}' },
  {
    long: "background",
    short: "B",
    takes: "SECONDS",
    help: "let it run on its own for as long as this (async)",
  },
  {
    long: "poll",
    short: "P",
    takes: "SECONDS",
    help: "with -B: look this often whether it is over; 0: never (15)",
  },
  ...adHocOptions,
];

/** Ansible's own. */
const usualPollSeconds = 15;

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
  const named = options.value("module-name") ?? (options.has("list-hosts") ? "ping" : undefined);
  if (named === undefined && !options.has("args"))
    throw badUsage(
      "no module is named",
      "-m names one, provision docs lists them",
      `provision task ${pattern} -m ping`,
    );
  return runAdHoc(pattern, { [named ?? "command"]: argsOf(options), ...asyncOf(options) }, { options, io });
}

function argsOf(options: ParsedOptions): ReturnType<typeof parseYaml> {
  const text = options.value("args")?.trim() ?? "";
  if (/^[{[]/.test(text)) return parseYaml(text, "--args");
  return text === "" ? mapOf({}) : scalar(text);
}

function asyncOf(options: ParsedOptions): Record<string, ReturnType<typeof scalar>> {
  const seconds = options.number("background", 1);
  if (seconds === undefined) return {};
  const poll = options.number("poll") ?? usualPollSeconds;
  return { async: scalar(String(seconds)), poll: scalar(String(poll)) };
}
