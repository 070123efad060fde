import type { z } from "zod";
import type { JsonObject } from "../../base/json.ts";
import type { Answers, HttpAnswer, PathAnswer, Question } from "../host/question.ts";
import { answerTo, bytesOf, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { cleanUpSh } from "./clean-up.ts";
import { defineModule } from "./define-module.ts";
import { digestOf } from "./digest.ts";
import { hostPath } from "./host-path.ts";
import { requestOf, wrongUrl } from "./http-request.ts";
import type { ModuleContext, Plan } from "./module.ts";
import { keyFingerprint } from "./openpgp-key.ts";
import { planFile } from "./plan-file.ts";

const args = defineArgs(
  {
    id: text("The key's number: the last 8 or 16 digits, or the whole fingerprint."),
    data: text("The key itself, in armour."),
    file: path("A file of the host with the key."),
    url: text("Where the key is fetched from."),
    keyserver: text("Where the key with that id is fetched from. Needs gpg on the host."),
    keyring: path("The file that the key is kept in. Default: one of /etc/apt/trusted.gpg.d."),
    state: choice(["present", "absent"])("Shall apt trust the key?", { default: "present" }),
    validate_certs: flag("Check the server's certificate.", { default: true }),
  },
  {
    exclusive: [["data", "file", "url", "keyserver"]],
    check(args) {
      const source = args.data ?? args.file ?? args.url ?? args.keyserver;
      if (args.state === "absent" && args.id === undefined) return '"id" is required with state "absent"';
      if (args.keyserver !== undefined && args.id === undefined) return '"id" is required with keyserver';
      if (args.state === "present" && source === undefined)
        return "one of data, file, url, keyserver is required";
      if (args.id !== undefined && !/^(0x)?[0-9a-fA-F]{8,40}$/.test(args.id))
        return `"${args.id}" is not a key's number`;
      return args.url === undefined ? undefined : wrongUrl(args.url);
    },
  },
);
type KeyArgs = z.infer<typeof args>;

/** The files that hold a key whose fingerprint ends with $1. */
const findSh = `[ -n "$1" ] && command -v gpg >/dev/null || exit 0
for f in \${2:-/etc/apt/trusted.gpg /etc/apt/trusted.gpg.d/*}; do [ -f "$f" ] || continue
gpg --show-keys --with-colons -- "$f" 2>/dev/null | grep -qi "^fpr:.*$1:" && printf '%s\\n' "$f"; done; exit 0`;

const idOf = ({ id }: KeyArgs): string => (id ?? "").replace(/^0x/, "").toUpperCase();

interface KeyState {
  readonly holders: readonly string[];
  readonly file: PathAnswer;
  /** The file at keyring, or where the key goes by itself: armoured, then binary. */
  readonly places: readonly PathAnswer[];
  readonly fetched: HttpAnswer | undefined;
}

const source = ({ data, file, url, keyserver, id }: KeyArgs): string =>
  id ?? url ?? file ?? keyserver ?? data ?? "";

/** apt knows armoured keys by .asc and binary ones by .gpg. */
function placeOf(given: KeyArgs, isArmoured: boolean): string {
  if (given.keyring !== undefined) return given.keyring;
  const name = idOf(given) || digestOf(source(given), "sha256").slice(0, 16).toUpperCase();
  return `/etc/apt/trusted.gpg.d/provision-${name}.${isArmoured ? "asc" : "gpg"}`;
}

function ask(given: KeyArgs, context: ModuleContext): readonly Question[] {
  const look = (path: string, follow: boolean): Question => ({
    of: "path",
    path,
    want: ["stat", "hash", "content"],
    follow,
  });
  const questions: Question[] = [
    { of: "script", sh: findSh, args: [idOf(given), given.keyring ?? ""] },
    look(given.file === undefined ? "/nonexistent" : hostPath(given.file, context), true),
    look(placeOf(given, true), false),
    look(placeOf(given, false), false),
  ];
  if (given.url === undefined || context.round === 0) return questions;
  const request = requestOf(
    { url: given.url, headers: {}, http_agent: "provision", validate_certs: given.validate_certs },
    { method: "GET", timeoutMs: 30_000, followRedirects: "all" },
  );
  return [...questions, { of: "http", request }];
}

const read = (answers: Answers): KeyState => ({
  holders: linesOf(textOf(answerTo(answers, 0, "script").stdout)),
  file: answerTo(answers, 1, "path"),
  places: [answerTo(answers, 2, "path"), answerTo(answers, 3, "path")],
  fetched: answers[4] === undefined ? undefined : answerTo(answers, 4, "http"),
});

const nothing: Plan = { steps: [], diffs: [] };

function plan(given: KeyArgs, state: KeyState): Plan {
  if (given.state === "absent") return planAbsent(given, state);
  if (given.id !== undefined && state.holders.length > 0) return nothing;
  if (given.keyserver !== undefined) return planKeyserver(given, state);
  if (given.url !== undefined && state.fetched === undefined) return { ...nothing, again: true };
  if (state.fetched !== undefined && (state.fetched.failure !== undefined || state.fetched.status !== 200)) {
    const why = state.fetched.failure ?? `it answered ${state.fetched.status}`;
    return { ...nothing, fail: `no key from ${given.url}: ${why}` };
  }
  const bytes = given.data !== undefined ? bytesOf(given.data) : (state.fetched?.body ?? state.file.content);
  if (bytes === undefined) return { ...nothing, fail: `"${given.file}" cannot be read` };
  return planBytes(given, bytes, state);
}

function planBytes(given: KeyArgs, bytes: Uint8Array, state: KeyState): Plan {
  const isArmoured = textOf(bytes.subarray(0, 2000)).includes("-----BEGIN PGP PUBLIC KEY BLOCK-----");
  const isBinary = ((bytes[0] ?? 0) & 0x80) !== 0;
  if (!isArmoured && !isBinary) return { ...nothing, fail: "what was given is not an OpenPGP key" };
  const current = state.places[isArmoured ? 0 : 1];
  if (current === undefined) throw new Error("the key's place was not asked for");
  return planFile({
    path: placeOf(given, isArmoured),
    current,
    from: { bytes },
    sha256: digestOf(bytes, "sha256"),
    wanted: { mode: { kind: "octal", bits: 0o644 } },
  });
}

function planAbsent(given: KeyArgs, state: KeyState): Plan {
  const own = [placeOf(given, true), placeOf(given, false)].filter(
    (_, index) => state.places[index]?.stat.exists,
  );
  const files = [...new Set([...state.holders, ...own])];
  const id = idOf(given);
  return {
    steps: files.map((file) =>
      own.includes(file) && given.keyring === undefined
        ? { do: "run", why: `remove ${file}`, argv: ["rm", "-f", "--", file] }
        : { do: "run", why: `take the key out of ${file}`, argv: ["sh", "-c", removeSh, "sh", file, id] },
    ),
    diffs: [],
  };
}

/** gpg keeps a lock and a trust database beside its keyrings: they go to a folder that is taken away. */
const homeSh = `h=$(mktemp -d) || exit 1; ${cleanUpSh('rm -rf -- "$h"')}; chmod 700 "$h"; GNUPGHOME=$h; export GNUPGHOME`;
const removeSh = `${homeSh}
gpg -q --batch --import "$1" && gpg -q --batch --yes --delete-keys "$2" || exit 1
if gpg -q --batch --list-keys 2>/dev/null | grep -q .; then gpg -q --batch --export >"$h/out" && cat "$h/out" >"$1"; else rm -f -- "$1"; fi`;
const receiveSh = `${homeSh}
command -v gpg >/dev/null || { echo 'there is no gpg on the host: install the package gnupg' >&2; exit 1; }
gpg -q --batch --keyserver "$2" --recv-keys "$1" && gpg -q --batch --export "$1" >"$h/out" && [ -s "$h/out" ] || exit 1
cat "$h/out" >"$3" && chmod 644 -- "$3"`;

function planKeyserver(given: KeyArgs, state: KeyState): Plan {
  if (state.places[1]?.stat.exists === true) return nothing;
  const place = placeOf(given, false);
  const argv = ["sh", "-c", receiveSh, "sh", idOf(given), given.keyserver ?? "", place];
  return { steps: [{ do: "run", why: `fetch the key ${idOf(given)}`, argv }], diffs: [] };
}

/** A key that the task names by no id is known by its fingerprint. */
function keyNames(given: KeyArgs, { fetched, file }: KeyState): JsonObject {
  const bytes = given.data === undefined ? (fetched?.body ?? file.content) : bytesOf(given.data);
  const key = idOf(given) || (bytes && keyFingerprint(bytes)?.slice(-16));
  return key === undefined ? {} : { id: given.id ?? key, key_id: key, fp: key, short_id: key.slice(-8) };
}

export default defineModule({
  kind: "host",
  name: "apt_key",
  summary: "Lets apt trust a key for all sources. New roles rather use deb822_repository with signed_by.",
  args,
  example:
    "- name: the makers' key\n  apt_key: {url: 'https://packages.example.com/key.asc', state: present}\n",
  reads: "world",
  ask,
  read,
  plan,
  result: (state, _outcome, given) => ({
    ...keyNames(given, state),
    before: [...state.holders],
  }),
});
