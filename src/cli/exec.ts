/** `provision exec PATTERN -- COMMAND…`: one command everywhere, its output by host. */
import { mapOf, place, runAdHoc, scalar } from "./ad-hoc.ts";
import { type CliIo, exitCodes } from "./io.ts";
import { badUsage, describeOptions, type OptionSpec, parseOptions } from "./parse-options.ts";
import { adHocOptions } from "./run-options.ts";

const ofTask = {
  why: "exec runs a command; task runs a module",
  fix: "provision task PATTERN -m MODULE -a ARGS",
};
const specs: readonly OptionSpec[] = [
  ...adHocOptions,
  { long: "module-name", short: "m", takes: "MODULE", help: "", refused: ofTask },
  { long: "args", short: "a", takes: "ARGS", help: "", refused: ofTask },
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
  const words = options.afterDashes ?? (options.has("list-hosts") ? ["true"] : []);
  if (pattern === undefined || surplus !== undefined || words.length === 0) {
    const command = words.length > 0 ? words : options.rest.slice(1);
    throw badUsage(
      pattern === undefined
        ? "no hosts are named"
        : words.length === 0
          ? "no command stands after --"
          : `"${surplus}" stands before --`,
      "exec takes a pattern of hosts, and after -- the command",
      `provision exec ${pattern ?? "all"} -- ${command.length > 0 ? command.join(" ") : "uptime"}`,
    );
  }
  const [only, ...more] = words;
  const list = { kind: "list", span: place, items: words.map((word) => scalar(word, true)) } as const;
  const task =
    more.length === 0
      ? { shell: mapOf({ cmd: scalar(only ?? "", true) }) }
      : { command: mapOf({ argv: list }) };
  return runAdHoc(pattern, task, { options, io });
}
