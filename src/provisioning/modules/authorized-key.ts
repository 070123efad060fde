import type { z } from "zod";
import type { Answers, HttpAnswer, PathAnswer, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, bytesOf, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { planAttributes, statOf } from "./attributes.ts";
import { makeFolder } from "./copy-file.ts";
import { defineModule } from "./define-module.ts";
import { folderOf, hostPath } from "./host-path.ts";
import { requestOf } from "./http-request.ts";
import type { ModuleContext, Plan } from "./module.ts";

const args = defineArgs({
  user: text("Who may log in with the key.", { required: true }),
  key: text("The public key, several on lines of their own, or an address that lists them.", {
    required: true,
  }),
  state: choice(["present", "absent"])("Shall the key be there?", { default: "present" }),
  path: path("The file. Default: ~/.ssh/authorized_keys of the user."),
  manage_dir: flag("Make the folder, and set its owner and mode.", { default: true }),
  exclusive: flag("Remove all other keys.", { default: false }),
  key_options: text('Options in front of the key: no-pty,command="…".'),
  comment: text("The key's comment, instead of its own."),
  follow: flag("Write through a link at path.", { default: false }),
  validate_certs: flag("With an address: check the server's certificate.", { default: true }),
});
type KeyArgs = z.infer<typeof args>;

interface Key {
  readonly options: string;
  readonly type: string;
  readonly data: string;
  readonly comment: string;
}

const keyType =
  /(?:^|\s)((?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-(?:ssh|ecdsa)-\S+)(?:-cert-v01@openssh\.com)?)\s+(\S+)(?:\s+(.*))?$/;

/** A line of authorized_keys; undefined for comments and what is no key. Options may hold blanks in quotes. */
function readKey(line: string): Key | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const match = keyType.exec(line);
  if (match === null) return undefined;
  const [, type = "", data = "", comment = ""] = match;
  return { options: line.slice(0, match.index).trim(), type, data, comment: comment.trim() };
}

const writeKey = ({ options, type, data, comment }: Key): string =>
  [options, type, data, comment].filter((part) => part !== "").join(" ");

const isAddress = (key: string): boolean => /^https?:\/\/\S+$/.test(key.trim());

/** The text with the keys; undefined while it has not been fetched. */
function keyText(
  given: KeyArgs,
  { fetched }: KeyState,
): { readonly text: string } | { readonly fail: string } | undefined {
  if (!isAddress(given.key)) return { text: given.key };
  if (fetched === undefined) return undefined;
  const failure = fetched.failure ?? (fetched.status === 200 ? undefined : `it answered ${fetched.status}`);
  return failure === undefined
    ? { text: textOf(fetched.body) }
    : { fail: `no keys from ${given.key.trim()}: ${failure}` };
}

function wantedKeys(text: string, given: KeyArgs): readonly Key[] | string {
  const keys: Key[] = [];
  for (const line of text.split("\n")) {
    if (/^\s*(#|$)/.test(line)) continue;
    const key = readKey(line);
    if (key === undefined) return `"${line.trim().slice(0, 60)}" is not a public key`;
    keys.push({
      ...key,
      options: given.key_options ?? key.options,
      comment: given.comment ?? key.comment,
    });
  }
  return keys.length === 0 ? "there is no public key in key" : keys;
}

function edited(file: string, wanted: readonly Key[], given: KeyArgs): string {
  const same = (a: Key, b: Key) => a.type === b.type && a.data === b.data;
  const lines = linesOf(file).map((line) => ({ line, key: readKey(line) }));
  if (given.state === "absent") {
    const kept = lines.filter(({ key }) => key === undefined || !wanted.some((own) => same(own, key)));
    return joined(kept.map(({ line }) => line));
  }
  const kept = given.exclusive
    ? lines.filter(({ key }) => key !== undefined && wanted.some((own) => same(own, key)))
    : lines;
  const updated = kept.map(({ line, key }) => {
    const own = key && wanted.find((other) => same(other, key));
    if (own === undefined || key === undefined) return line;
    const isSame =
      own.options === key.options && (own.comment === key.comment || given.comment === undefined);
    return isSame
      ? line
      : writeKey(given.comment === undefined ? { ...own, comment: own.comment || key.comment } : own);
  });
  const added = wanted.filter((own) => !kept.some(({ key }) => key !== undefined && same(own, key)));
  return joined([...updated, ...added.map(writeKey)]);
}

const joined = (lines: readonly string[]): string => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

interface KeyState {
  readonly home: string | undefined;
  readonly group: string;
  readonly file: string;
  readonly stat: PathAnswer;
  readonly folder: PathAnswer;
  readonly path: string;
  readonly fetched: HttpAnswer | undefined;
}

/** The user's home decides the path, so the host puts it together. */
function ask(given: KeyArgs, context: ModuleContext): readonly Question[] {
  const user: Question = { of: "user", name: given.user };
  const show = `h=$(getent passwd "$1" | cut -d: -f6); p=\${2:-$h/.ssh/authorized_keys}; printf '%s\\n' "$p"
[ -e "$p" ] && stat -L -c '%a %U %G' -- "$p" || echo; d=$(dirname -- "$p"); [ -d "$d" ] && stat -c '%a %U %G' -- "$d" || echo
cat -- "$p" 2>/dev/null`;
  const path = given.path === undefined ? "" : hostPath(given.path, context);
  const local: readonly Question[] = [user, { of: "script", sh: show, args: [given.user, path] }];
  if (!isAddress(given.key) || context.round === 0) return local;
  const request = requestOf(
    { url: given.key.trim(), headers: {}, http_agent: "provision", validate_certs: given.validate_certs },
    { method: "GET", timeoutMs: fetchLimitMs, followRedirects: "all" },
  );
  return [...local, { of: "http", request }];
}

const fetchLimitMs = 30_000;

function pathAnswer(line: string, type: "file" | "directory"): PathAnswer {
  const [mode = "", owner = "", group = ""] = line.split(" ");
  if (owner === "") return { stat: { exists: false } };
  const none = { uid: -1, gid: -1, size: 0, mtime: 0, atime: 0, ctime: 0, inode: 0, device: 0, nlink: 1 };
  return { stat: { exists: true, type, mode: Number.parseInt(mode, 8), owner, group, ...none } };
}

function read(answers: Answers): KeyState {
  const user = answerTo(answers, 0, "user");
  const [path = "", file = "", folder = "", ...lines] = textOf(answerTo(answers, 1, "script").stdout).split(
    "\n",
  );
  return {
    home: user.exists ? user.home : undefined,
    group: user.primaryGroup ?? String(user.gid ?? ""),
    path,
    stat: pathAnswer(file, "file"),
    folder: pathAnswer(folder, "directory"),
    file: lines.join("\n"),
    fetched: answers[2] === undefined ? undefined : answerTo(answers, 2, "http"),
  };
}

function plan(given: KeyArgs, state: KeyState): Plan {
  if (state.home === undefined)
    return { steps: [], diffs: [], fail: `there is no user "${given.user}" on the host` };
  const text = keyText(given, state);
  if (text === undefined) return { steps: [], diffs: [], again: true };
  const wanted = "fail" in text ? text.fail : wantedKeys(text.text, given);
  if (typeof wanted === "string") return { steps: [], diffs: [], fail: wanted };
  const after = edited(state.file, wanted, given);
  const folder = folderOf(state.path);
  const owned = { owner: given.user, group: state.group };
  const steps: Step[] = [];
  const folderStat = statOf(state.folder);
  if (given.state === "present" && given.manage_dir) {
    if (folderStat === undefined) {
      steps.push(
        makeFolder(folder),
        attribute("chown", `${given.user}:${state.group}`, folder),
        attribute("chmod", "0700", folder),
      );
    } else {
      const mode = { kind: "octal", bits: 0o700 } as const;
      steps.push(...planAttributes(folder, folderStat, { ...owned, mode }).steps);
    }
  }
  const fileStat = statOf(state.stat);
  const isWritten = after !== state.file || (fileStat === undefined && after !== "");
  if (isWritten) {
    steps.push({
      do: "write",
      why: `write ${state.path}`,
      path: state.path,
      from: { bytes: bytesOf(after) },
      ...owned,
      mode: "0600",
      follow: given.follow,
    });
  } else if (fileStat !== undefined && given.manage_dir && given.state === "present") {
    steps.push(
      ...planAttributes(state.path, fileStat, { ...owned, mode: { kind: "octal", bits: 0o600 } }).steps,
    );
  }
  return { steps, diffs: isWritten ? [{ path: state.path, before: state.file, after }] : [] };
}

const attribute = (program: string, value: string, path: string): Step => ({
  do: "run",
  why: `${program} ${path}`,
  argv: [program, value, "--", path],
});

export default defineModule({
  kind: "host",
  name: "authorized_key",
  summary: "Lets a user log in with a public key, or no longer.",
  args,
  example:
    "- name: the operators may log in\n  authorized_key:\n    user: deploy\n    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPdeployKeyExampleOnlyxxxxxxxxxxxxxxxxx ops@example.com\n",
  reads: "host",
  ask,
  read,
  plan,
  result: (state, _outcome, given) => ({
    user: given.user,
    key: given.key,
    keyfile: state.path,
    exclusive: given.exclusive,
    state: given.state,
    manage_dir: given.manage_dir,
    path: given.path ?? null,
    key_options: given.key_options ?? null,
    comment: given.comment ?? null,
    follow: given.follow,
    validate_certs: given.validate_certs,
  }),
});
