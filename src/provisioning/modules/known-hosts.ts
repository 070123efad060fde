import { createHmac } from "node:crypto";
import type { z } from "zod";
import { answerTo, bytesOf, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { askAfter, pathAfter, statOf } from "./attributes.ts";
import { makeFolder } from "./copy-file.ts";
import { defineModule } from "./define-module.ts";
import { digestOf } from "./digest.ts";
import { folderOf, hostPath } from "./host-path.ts";
import type { Plan } from "./module.ts";

const args = defineArgs(
  {
    name: text("The host, or [host]:port.", { required: true, aliases: ["host"] }),
    key: text("Its key, as ssh-keyscan prints it: HOST TYPE DATA."),
    path: path("The file.", { default: "~/.ssh/known_hosts" }),
    hash_host: flag("Hide the host's name.", { default: false }),
    state: choice(["present", "absent"])("Shall the key be known?", { default: "present" }),
  },
  {
    check: (args) =>
      args.state === "present" && args.key === undefined
        ? '"key" is required with state "present"'
        : undefined,
  },
);
type KnownArgs = z.infer<typeof args>;

interface KeyLine {
  readonly type: string;
  readonly data: string;
}

/** "host type data": markers such as @cert-authority stand in front. */
function readLine(line: string): (KeyLine & { readonly names: string }) | undefined {
  const words = line.trim().split(/\s+/);
  const [names = "", type = "", data = ""] = words[0]?.startsWith("@") ? words.slice(1) : words;
  return data === "" || line.startsWith("#") ? undefined : { names, type, data };
}

const hashed = (name: string, salt: Buffer): string => createHmac("sha1", salt).update(name).digest("base64");

function names(list: string, name: string): boolean {
  const [, one, salt = "", hash] = list.split("|");
  if (one === "1") return hashed(name, Buffer.from(salt, "base64")) === hash;
  return list.split(",").some((other) => other.toLowerCase() === name.toLowerCase());
}

/** The salt comes from name and key: the module stays a function of its arguments, and each host has its own. */
function hiddenName(name: string, key: KeyLine): string {
  const salt = Buffer.from(digestOf(`${name} ${key.data}`, "sha1"), "hex");
  return `|1|${salt.toString("base64")}|${hashed(name, salt)}`;
}

const shortKey = (given: KnownArgs): KeyLine[] =>
  (given.key ?? "").split("\n").flatMap((line) => {
    const own = readLine(line);
    return own === undefined ? [] : [{ type: own.type, data: own.data }];
  });

/** Whose a key is that belongs to somebody else. */
const otherName = (given: KnownArgs): string | undefined =>
  (given.key ?? "")
    .split("\n")
    .flatMap((line) => readLine(line)?.names ?? [])
    .find((list) => !names(list, given.name));

function edited(file: string, given: KnownArgs): string {
  const keys = shortKey(given);
  const lines = linesOf(file);
  const isOf = (line: string) => {
    const own = readLine(line);
    return own !== undefined && names(own.names, given.name) ? own : undefined;
  };
  if (given.state === "absent") {
    const goes = (line: string) => {
      const own = isOf(line);
      return (
        own !== undefined &&
        (keys.length === 0 || keys.some((key) => key.type === own.type && key.data === own.data))
      );
    };
    return joined(lines.filter((line) => !goes(line)));
  }
  const isHidden = (line: string) => line.startsWith("|1|");
  const kept = lines.filter((line) => {
    const own = isOf(line);
    const wanted = own && keys.find((key) => key.type === own.type);
    if (own === undefined || wanted === undefined) return true;
    return wanted.data === own.data && isHidden(line) === given.hash_host;
  });
  const missing = keys.filter((key) => !kept.some((line) => isOf(line)?.data === key.data));
  const added = missing.map(
    (key) => `${given.hash_host ? hiddenName(given.name, key) : given.name} ${key.type} ${key.data}`,
  );
  return joined([...kept, ...added]);
}

const joined = (lines: readonly string[]): string => (lines.length === 0 ? "" : `${lines.join("\n")}\n`);

export default defineModule({
  kind: "host",
  name: "known_hosts",
  summary: "Puts the key of a host into a known_hosts file, or takes it out.",
  args,
  example:
    "- name: the repository's host is known\n  known_hosts:\n    name: git.example.com\n    key: git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGitHostKeyExampleOnlyxxxxxxxxxxxxxxxx\n",
  reads: "host",
  ask(given, context) {
    const path = hostPath(given.path, context);
    return [
      { of: "path", path, want: ["stat", "content"], follow: true },
      { of: "path", path: folderOf(path), want: ["stat"], follow: true },
    ];
  },
  read: (answers) => ({ file: answerTo(answers, 0, "path"), folder: answerTo(answers, 1, "path") }),
  plan(given, { file, folder }, context): Plan {
    const path = hostPath(given.path, context);
    if (given.state === "present" && shortKey(given).length === 0) {
      return { steps: [], diffs: [], fail: "key must have the form: HOST TYPE DATA" };
    }
    const other = otherName(given);
    if (other !== undefined) {
      return { steps: [], diffs: [], fail: `the key is of "${other}", not of "${given.name}"` };
    }
    const before = file.content === undefined ? "" : textOf(file.content);
    const after = edited(before, given);
    if (after === before) return { steps: [], diffs: [] };
    const isNew = statOf(folder) === undefined;
    const closed = {
      do: "run" as const,
      why: "close the folder",
      argv: ["chmod", "0700", "--", folderOf(path)],
    };
    return {
      steps: [
        ...(isNew ? [makeFolder(folderOf(path)), closed] : []),
        { do: "write", why: `write ${path}`, path, from: { bytes: bytesOf(after) } },
      ],
      diffs: [{ path, before, after }],
    };
  },
  after: (given, _state, context) => askAfter(hostPath(given.path, context)),
  result: ({ file }, outcome, given) => ({
    ...pathAfter(outcome, statOf(file), {}),
    name: given.name,
    state: given.state,
    path: given.path,
    key: given.key ?? null,
    hash_host: given.hash_host,
  }),
});
