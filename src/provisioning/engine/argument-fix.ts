import { nearest } from "../../base/nearest.ts";

/** What people say elsewhere for what an argument here calls otherwise. */
const otherWords: Readonly<Record<string, string>> = {
  running: "started",
  up: "started",
  on: "started",
  off: "stopped",
  down: "stopped",
  dir: "directory",
  folder: "directory",
  symlink: "link",
  deleted: "absent",
  uninstalled: "absent",
  created: "present",
  exists: "present",
};

export interface ArgumentProblem {
  readonly state: string;
  readonly fix?: string;
}

/** The sentence of a module about one of its arguments → what is wrong, and what to type. */
export function explainArgument(name: string, message: string): ArgumentProblem {
  const [, said, typed] = /^(.*): (write .*)$/s.exec(message) ?? [];
  if (said !== undefined && typed !== undefined) return { state: said, fix: typed };
  const fix = fixOf(name, message);
  return fix === undefined ? { state: message } : { state: message, fix };
}

function fixOf(name: string, message: string): string | undefined {
  if (message === "is required") return `add "${name}: …"`;
  const [, wanted] = /^"(\w+)" is required/.exec(message) ?? [];
  if (wanted !== undefined) return `add "${wanted}: …"`;
  if (/^only one of .* may be given$/.test(message)) return "keep one of them";
  const [, choices, given] = /wants one of (.*), not "(.*)"$/.exec(message) ?? [];
  if (choices !== undefined && given !== undefined) return choiceFix(choices.split(", "), given);
  const [, flag] = /wants true or false, not "(.*)"$/.exec(message) ?? [];
  if (flag !== undefined) return `write ${nearest(flag, ["true", "false"]) ?? "true or false"}`;
  if (/wants text, not \[/.test(message)) return 'one task for all: loop over them, with "{{ item }}" here';
  if (message.includes("password_hash")) return "write \"{{ … | password_hash('sha512') }}\"";
  if (message === "is not a variable's name")
    return `write "${name.replaceAll(/\W/g, "_")}" instead of "${name}"`;
  if (message === "no variable is given") return 'add "name: value"';
  const [, address] = /^"([^"]*)" is not an address$/.exec(message) ?? [];
  if (address !== undefined && !address.includes("://")) return `write "https://${address}"`;
  const [, shape] = /wants (.*), not [^,]*$/.exec(message) ?? [];
  return shape === undefined ? undefined : `write ${shape}`;
}

function choiceFix(choices: readonly string[], given: string): string {
  const other = otherWords[given.toLowerCase()];
  const near =
    (other !== undefined && choices.includes(other) ? other : undefined) ??
    nearest(given, choices) ??
    choices.find((choice) => choice.startsWith(given) || given.startsWith(choice));
  return `write ${near === undefined ? choices.join(", ").replace(/, ([^,]*)$/, " or $1") : `"${near}"`}`;
}
