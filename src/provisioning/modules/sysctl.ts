import type { z } from "zod";
import type { Answers } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, bytesOf, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

const args = defineArgs(
  {
    name: text("The setting: net.ipv4.ip_forward.", { required: true, aliases: ["key"] }),
    value: text("Its value.", { aliases: ["val"] }),
    state: choice(["present", "absent"])("Shall the file set it?", { default: "present" }),
    sysctl_file: path("The file.", { default: "/etc/sysctl.conf" }),
    sysctl_set: flag("Set it now too, when it differs.", { default: false }),
    reload: flag("Load the file after it was changed, or when the value is not in force.", { default: true }),
    ignoreerrors: flag("Pass over settings that the kernel does not know.", { default: false }),
  },
  {
    check: (args) =>
      args.state === "present" && (args.value ?? "").trim() === ""
        ? '"value" is required with state "present"'
        : undefined,
  },
);
type SysctlArgs = z.infer<typeof args>;

interface SysctlState {
  readonly file: string;
  readonly live: string | undefined;
}

const collapsed = (value: string): string => value.trim().replaceAll(/\s+/g, " ");
const yesNo: Readonly<Record<string, string>> = {
  true: "1",
  yes: "1",
  on: "1",
  false: "0",
  no: "0",
  off: "0",
};
const wantedValue = ({ value = "" }: SysctlArgs): string => yesNo[value.toLowerCase()] ?? collapsed(value);

/** net/ipv4/ip_forward and net.ipv4.ip_forward are one. */
const sameName = (line: string, name: string): boolean => {
  const own = /^\s*-?([^=#;\s][^=]*?)\s*=/.exec(line)?.[1];
  return own !== undefined && own.replaceAll("/", ".") === name.replaceAll("/", ".");
};

function edited(file: string, given: SysctlArgs): string {
  const lines = linesOf(file);
  const at = lines.findIndex((line) => sameName(line, given.name));
  const line = `${given.name}=${wantedValue(given)}`;
  if (given.state === "absent") return joined(lines.filter((other) => !sameName(other, given.name)));
  if (at === -1) return joined([...lines, line]);
  const current = collapsed((lines[at] ?? "").replace(/^[^=]*=/, ""));
  const others = lines.filter((other, index) => index <= at || !sameName(other, given.name));
  if (current === wantedValue(given) && others.length === lines.length) return file;
  return joined(others.with(at, current === wantedValue(given) ? (lines[at] ?? line) : line));
}

const joined = (lines: readonly string[]): string => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

function read(answers: Answers): SysctlState {
  const { content } = answerTo(answers, 0, "path");
  const live = answerTo(answers, 1, "script");
  return {
    file: content === undefined ? "" : textOf(content),
    live: live.code === 0 ? collapsed(textOf(live.stdout)) : undefined,
  };
}

function plan(given: SysctlArgs, state: SysctlState): Plan {
  const after = edited(state.file, given);
  const isWritten = after !== state.file;
  const ignore = given.ignoreerrors ? ["-e"] : [];
  const isLive = given.state === "absent" || state.live === wantedValue(given);
  const isUnknown = state.live === undefined && given.ignoreerrors;
  const steps: Step[] = [];
  // First of all: what the kernel refuses is not written down.
  if (given.sysctl_set && !isLive) {
    const argv = ["sysctl", ...ignore, "-w", `${given.name}=${wantedValue(given)}`];
    steps.push({ do: "run", why: `set ${given.name}`, argv });
  }
  if (isWritten) {
    const path = given.sysctl_file;
    steps.push({ do: "write", why: `write ${path}`, path, from: { bytes: bytesOf(after) } });
  }
  if (given.reload && (isWritten || !(isLive || isUnknown || given.sysctl_set))) {
    steps.push({ do: "run", why: "load the settings", argv: ["sysctl", ...ignore, "-p", given.sysctl_file] });
  }
  return {
    steps,
    diffs: isWritten ? [{ path: given.sysctl_file, before: state.file, after }] : [],
  };
}

export default defineModule({
  kind: "host",
  name: "sysctl",
  summary: "Sets a setting of the kernel, in a file and at once.",
  args,
  example:
    "- name: containers may reach the net\n  sysctl: {name: net.ipv4.ip_forward, value: '1', sysctl_set: true}\n",
  reads: "host",
  ask: (given) => [
    { of: "path", path: given.sysctl_file, want: ["stat", "content"], follow: true },
    { of: "script", sh: 'sysctl -n -- "$1" 2>/dev/null', args: [given.name] },
  ],
  read,
  plan,
  result: (_state, _outcome, given) => ({ name: given.name, value: given.value ?? "" }),
});
