/** What to type when a program on a host failed in one of the ways that everybody meets. */
import type { ShownFailure } from "../engine/events.ts";

interface Hint {
  readonly when: RegExp;
  readonly fix: (found: string) => string;
}

/** Looked for in what the program and we said of it; the first that fits counts. */
const hints: readonly Hint[] = [
  {
    when: /permission denied|operation not permitted|are you root|must be (?:superuser|root)|only root can/i,
    fix: () => "if this takes root: become: true on the task, or -b",
  },
  {
    when: /the directory (\S+?)\/? does not exist/,
    fix: (folder) => `a task before it: file: {path: ${folder}, state: directory}`,
  },
  { when: /invalid user: .([\w.-]+)/, fix: (name) => `a task before it: user: {name: ${name}}` },
  { when: /invalid group: .:?([\w.-]+)/, fix: (name) => `a task before it: group: {name: ${name}}` },
  {
    when: /can't cd to (\S+)|cd: (?:\S+: )?(\S+): No such file/,
    fix: (folder) => `a task before it: file: {path: ${folder}, state: directory}`,
  },
  {
    when: /exec: (cd|source|export|alias|ulimit|umask|\.): not found/,
    fix: (word) =>
      word === "cd" ? "chdir: FOLDER, beside the command" : "it is a word of the shell: use the module shell",
  },
  {
    when: /(?:exec: |^|: )([\w./+-]+): (?:command )?not found/m,
    fix: (name) =>
      name.startsWith("/")
        ? `see what is there: stat: {path: ${name}}`
        : `install the package that brings ${name} before this task`,
  },
  {
    when: /is never closed|unterminated quoted string|unexpected EOF while looking for matching/i,
    fix: () => "close the quote; a variable goes into a shell as {{ name | quote }}",
  },
  {
    when: /Unable to locate package (\S+)/,
    fix: (name) => `apt: {name: ${name}, update_cache: true}; or mend the name`,
  },
  {
    when: /Temporary failure (?:in name resolution|resolving)|Could not resolve|ENOTFOUND|EAI_AGAIN/i,
    fix: () => "getent hosts NAME, on the host, shows whether it resolves names",
  },
  {
    when: /there is no (?:init script|unit|service) "([^"]+)"|Unit (\S+?)(?:\.service)? (?:could not be found|not found)/,
    fix: (name) => `install the package that brings "${name}" before this task, or mend the name`,
  },
  { when: /\(create: true would make it\)/, fix: () => 'add "create: true"' },
  {
    when: /is not a regular expression/,
    fix: () => "put a backslash before a bracket that stands for itself",
  },
  {
    when: /:(\d+) was not started within/,
    fix: (port) =>
      `is the service up? provision exec HOST -- ss -ltn; a larger "timeout:" waits longer for ${port}`,
  },
  {
    when: /'\$\{?([A-Za-z_]\w*)[^']*': No such file/,
    fix: (name) => `${name} is not set on the host; a variable of the playbook is {{ ${name} }}`,
  },
  {
    when: /sudo: (?:a password is required|a terminal is required)/,
    fix: () => "become: true on the task instead of sudo in the command; -K asks for the password",
  },
  {
    when: /"(\S+)" does not answer/,
    fix: (address) => `try it from there: provision exec HOST -- git ls-remote ${address}`,
  },
  { when: /hidden by no_log/, fix: () => "no_log: false on the task, for one run, shows it" },
  {
    when: /ECONNREFUSED \S+:(\d+)/,
    fix: (port) => `nothing listens there yet: wait_for: {port: ${port}}, or start the service before`,
  },
];

const ofTheShell: ReadonlySet<string> = new Set(["|", ">", ">>", "<", "&&", "||", ";", "2>&1", "&"]);

export function hintOf(
  failure: ShownFailure,
  command: readonly string[] = failure.argv ?? [],
): string | undefined {
  const isScript = command[1] === "-c";
  const word = isScript ? undefined : command.find((each) => ofTheShell.has(each));
  if (word !== undefined)
    return `${word} is of the shell, and command runs without one: use the module shell`;
  const said = [failure.message, failure.stderr, failure.stdout].join("\n");
  for (const { when, fix } of hints) {
    const found = when.exec(said);
    if (found !== null) return fix(found[1] ?? found[2] ?? "");
  }
  return undefined;
}
