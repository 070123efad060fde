import type { z } from "zod";
import { boundedRegexps } from "../../base/bounded-regexp.ts";
import { pythonRegExp } from "../../base/python-regexp.ts";
import type { Answers, Listening, PathStat, Question } from "../host/question.ts";
import { answerTo, textOf } from "./answers.ts";
import { choice, defineArgs, list, path, text, whole } from "./arguments.ts";
import { pathResult, statOf } from "./attributes.ts";
import { defineModule } from "./define-module.ts";
import { hostPath } from "./host-path.ts";
import type { ModuleContext, Plan } from "./module.ts";

const connectionStates = ["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"];

const args = defineArgs(
  {
    host: text("Whose port, as seen from the host of the task.", { default: "127.0.0.1" }),
    port: whole("The TCP port."),
    path: path("A path of the host."),
    state: choice(["started", "present", "stopped", "absent", "drained"])(
      "started, present: the port is open, the path there; stopped, absent: not so; drained: nobody is connected.",
      { default: "started" },
    ),
    search_regex: text(
      "Python regular expression that the file must contain, or that who listens at the port must say by itself.",
    ),
    timeout: whole("Seconds until it fails. Without port and path: seconds to wait.", { default: 300 }),
    delay: whole("Seconds before the first look.", { default: 0 }),
    sleep: whole("Seconds between two looks.", { default: 1 }),
    connect_timeout: whole("Seconds that one connection may take.", { default: 5 }),
    msg: text("What to say when the time is over."),
    active_connection_states: list("drained: the states that count.", { default: connectionStates }),
    exclude_hosts: list("drained: addresses whose connections do not count.", { default: [] }),
  },
  {
    exclusive: [["port", "path"]],
    check(given) {
      if (given.state === "drained" && given.port === undefined)
        return '"port" is required with state "drained"';
      if (given.search_regex !== undefined && given.path === undefined && given.port === undefined)
        return "search_regex needs path or port";
      return undefined;
    },
  },
);
type WaitArgs = z.infer<typeof args>;

interface Seen {
  /** What is waited for has come about. */
  readonly isSo: boolean;
  readonly match?: RegExpMatchArray;
  /** Of the path. */
  readonly stat?: PathStat | undefined;
  readonly refused?: string;
}

const isIdle = (given: WaitArgs): boolean => given.port === undefined && given.path === undefined;
const isLooking = (given: WaitArgs, context: ModuleContext): boolean =>
  !isIdle(given) && !context.check && (given.delay === 0 || context.round > 0);

function ask(given: WaitArgs, context: ModuleContext): readonly Question[] {
  if (!isLooking(given, context)) return [];
  if (given.state === "drained") {
    return [{ of: "script", sh: "cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; exit 0", args: [] }];
  }
  const { host, port } = given;
  if (port !== undefined) {
    const timeoutMs = given.connect_timeout * 1000;
    return [{ of: "tcp", host, port, timeoutMs, ...listening(given, context) }];
  }
  const wanted = given.search_regex === undefined ? (["stat"] as const) : (["stat", "content"] as const);
  return [{ of: "path", path: hostPath(given.path ?? "", context), want: wanted, follow: true }];
}

const wantsPresence = ({ state }: WaitArgs): boolean => state === "started" || state === "present";

/** As long as the task's own time allows; a connection that is lost meanwhile is made anew. */
function listening(given: WaitArgs, { elapsedMs }: ModuleContext): { readonly listen?: Listening } {
  if (given.search_regex === undefined || !wantsPresence(given)) return {};
  const leftMs = given.timeout * 1000 - elapsedMs;
  return { listen: { pattern: given.search_regex, forMs: Math.min(Math.max(leftMs, 0), mostListeningMs) } };
}
/** One question must not outlive an interrupt by more. */
const mostListeningMs = 10_000;

function read(answers: Answers, given: WaitArgs): Seen {
  if (answers.length === 0) return { isSo: false };
  if (given.state === "drained") {
    return { isSo: !hasConnections(textOf(answerTo(answers, 0, "script").stdout), given) };
  }
  if (given.port !== undefined) {
    const { open, said } = answerTo(answers, 0, "tcp");
    if (said === undefined || given.search_regex === undefined)
      return { isSo: open === wantsPresence(given) };
    return readMatch(given.search_regex, textOf(said));
  }
  const { content, ...answer } = answerTo(answers, 0, "path");
  const stat = statOf(answer);
  if (!wantsPresence(given)) return { isSo: stat === undefined, stat };
  if (given.search_regex === undefined || content === undefined) {
    return { isSo: stat !== undefined && given.search_regex === undefined, stat };
  }
  return { ...readMatch(given.search_regex, textOf(content)), stat };
}

function readMatch(pattern: string, text: string): Seen {
  const compiled = pythonRegExp(pattern, "m");
  if ("refused" in compiled) return { isSo: false, refused: compiled.refused };
  const done = boundedRegexps([pattern], text.length, () => text.match(compiled.regexp));
  if ("refused" in done) return { isSo: false, refused: done.refused };
  return done.made === null ? { isSo: false } : { isSo: true, match: done.made };
}

/** The kernel's numbers for the states of a connection. */
const stateNumbers: Readonly<Record<string, string>> = {
  ESTABLISHED: "01",
  SYN_SENT: "02",
  SYN_RECV: "03",
  FIN_WAIT1: "04",
  FIN_WAIT2: "05",
  TIME_WAIT: "06",
};

/** An address as /proc/net/tcp writes it: hexadecimal, each group of four bytes backwards. */
export function procAddress(address: string): string | undefined {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255))
    return undefined;
  return parts
    .reverse()
    .map((part) => part.toString(16).padStart(2, "0").toUpperCase())
    .join("");
}

function hasConnections(table: string, given: WaitArgs): boolean {
  const port = (given.port ?? 0).toString(16).toUpperCase().padStart(4, "0");
  const states = new Set(given.active_connection_states.map((name) => stateNumbers[name]));
  const excluded = given.exclude_hosts.flatMap((address) => procAddress(address) ?? []);
  return table.split("\n").some((line) => {
    const [, local = "", remote = "", state = ""] = line.trim().split(/\s+/);
    const from = remote.split(":")[0] ?? "";
    return (
      local.endsWith(`:${port}`) && states.has(state) && !excluded.some((address) => from.endsWith(address))
    );
  });
}

const nothing: Plan = { steps: [], diffs: [] };

function plan(given: WaitArgs, seen: Seen, context: ModuleContext): Plan {
  if (context.check) return { ...nothing, skip: "not waited for in check mode" };
  if (seen.refused !== undefined) return { ...nothing, fail: seen.refused };
  const timeoutMs = given.timeout * 1000;
  if (isIdle(given)) {
    const leftMs = timeoutMs - context.elapsedMs;
    return leftMs <= 0 || context.round > 0 ? nothing : { ...nothing, again: true, waitMs: leftMs };
  }
  if (!isLooking(given, context)) return { ...nothing, again: true, waitMs: given.delay * 1000 };
  if (seen.isSo) return nothing;
  if (context.elapsedMs >= timeoutMs) return { ...nothing, fail: given.msg ?? timeoutMessage(given) };
  return { ...nothing, again: true, waitMs: given.sleep * 1000 };
}

function timeoutMessage(given: WaitArgs): string {
  const { path, port, search_regex: pattern, timeout } = given;
  const what = port === undefined ? path : `${given.host}:${port}`;
  if (pattern === undefined || !wantsPresence(given))
    return `${what} was not ${given.state} within ${timeout} s`;
  return port === undefined
    ? `${what} was not containing "${pattern}" within ${timeout} s`
    : `${what} said nothing that "${pattern}" matches within ${timeout} s`;
}

export default defineModule({
  kind: "host",
  name: "wait_for",
  summary: "Waits until a port is open or closed, a path is there or gone, a file contains something.",
  args,
  example: "- name: ZooKeeper listens\n  wait_for: {port: 2181, timeout: 30}\n",
  reads: "world",
  readOnly: true,
  ask,
  read,
  plan,
  result: (seen, _outcome, given, context) => ({
    state: given.state,
    elapsed: Math.round(context.elapsedMs / 1000),
    port: given.port ?? null,
    path: given.path ?? null,
    ...pathResult(seen.stat, {}),
    search_regex: given.search_regex ?? null,
    match_groups: seen.match?.slice(1).map((group) => group ?? null) ?? [],
    match_groupdict: { ...seen.match?.groups },
  }),
});
