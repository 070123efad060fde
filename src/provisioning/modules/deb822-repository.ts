import type { z } from "zod";
import type { Answers, HttpAnswer, PathAnswer, Question } from "../host/question.ts";
import { answerTo, bytesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, list, mode, text, whole } from "./arguments.ts";
import { makeFolder } from "./copy-file.ts";
import { defineModule } from "./define-module.ts";
import { digestOf } from "./digest.ts";
import { requestOf } from "./http-request.ts";
import type { ModuleContext, Plan } from "./module.ts";
import { fileQuestion, planFile } from "./plan-file.ts";

const args = defineArgs(
  {
    name: text("Name of the file in sources.list.d, without .sources.", { required: true }),
    state: choice(["present", "absent"])("Shall the source be there?", { default: "present" }),
    types: list("deb, deb-src.", { default: ["deb"] }),
    uris: list("Addresses."),
    suites: list("Suites: bookworm, noble-updates, or a path with a slash at its end."),
    components: list("Components: main, universe, …"),
    architectures: list("Only these architectures."),
    signed_by: text(
      "The key: its text in armour, a path of the host, a fingerprint, or an address to fetch it from.",
    ),
    enabled: flag("Use the source."),
    trusted: flag("Use the source without a valid signature."),
    allow_insecure: flag("Allow what is not signed well."),
    allow_weak: flag("Allow weak signatures."),
    allow_downgrade_to_insecure: flag("Allow that a source is no longer signed."),
    by_hash: flag("Fetch the lists by their hashes."),
    check_date: flag("Refuse lists from the future."),
    check_valid_until: flag("Refuse lists that are too old."),
    date_max_future: whole("Seconds that lists may be from the future."),
    inrelease_path: text("Where InRelease lies."),
    languages: list("Languages of descriptions."),
    pdiffs: flag("Fetch differences of lists."),
    targets: list("Which lists to fetch."),
    mode: mode("Mode of the file.", { default: "0644" }),
    install_python_debian: flag("Of Ansible; no Python is needed.", { default: false }),
  },
  {
    check: (args) =>
      args.state === "present" && (args.uris === undefined || args.suites === undefined)
        ? 'uris and suites are required with state "present"'
        : undefined,
  },
);
type SourceArgs = z.infer<typeof args>;

const isArmour = (value: string): boolean => value.includes("-----BEGIN PGP");
const isAddress = (value: string): boolean => /^https?:\/\//.test(value);
const fileName = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^-+|-+$/g, "");
const sourcePath = (given: SourceArgs): string => `/etc/apt/sources.list.d/${fileName(given.name)}.sources`;
const keyPath = (given: SourceArgs, kind: "asc" | "gpg"): string =>
  `/etc/apt/keyrings/${fileName(given.name)}.${kind}`;

/** A stanza of deb822: a text of several lines is indented, and an empty line is a dot. */
function stanza(given: SourceArgs, signedBy: string | undefined): string {
  const yesNo = (value: boolean | undefined) => (value === undefined ? undefined : value ? "yes" : "no");
  const words = (value: readonly string[] | undefined) => value?.join(" ");
  const fields: readonly (readonly [string, string | undefined])[] = [
    ["X-Repolib-Name", given.name],
    ["Types", words(given.types)],
    ["URIs", words(given.uris)],
    ["Suites", words(given.suites)],
    ["Components", words(given.components)],
    ["Architectures", words(given.architectures)],
    ["Allow-Downgrade-To-Insecure", yesNo(given.allow_downgrade_to_insecure)],
    ["Allow-Insecure", yesNo(given.allow_insecure)],
    ["Allow-Weak", yesNo(given.allow_weak)],
    ["By-Hash", yesNo(given.by_hash)],
    ["Check-Date", yesNo(given.check_date)],
    ["Check-Valid-Until", yesNo(given.check_valid_until)],
    ["Date-Max-Future", given.date_max_future === undefined ? undefined : String(given.date_max_future)],
    ["Enabled", yesNo(given.enabled)],
    ["InRelease-Path", given.inrelease_path],
    ["Languages", words(given.languages)],
    ["PDiffs", yesNo(given.pdiffs)],
    ["Signed-By", signedBy],
    ["Targets", words(given.targets)],
    ["Trusted", yesNo(given.trusted)],
  ];
  return fields
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${folded(value)}\n`]))
    .join("");
}

const folded = (value: string): string =>
  value.includes("\n")
    ? `\n${value
        .trim()
        .split("\n")
        .map((line) => (line.trim() === "" ? " ." : ` ${line}`))
        .join("\n")}`
    : value;

interface SourceState {
  readonly source: PathAnswer;
  readonly keys: { readonly asc: PathAnswer; readonly gpg: PathAnswer };
  readonly fetched: HttpAnswer | undefined;
}

function ask(given: SourceArgs, context: ModuleContext): readonly Question[] {
  const questions: Question[] = [
    fileQuestion(sourcePath(given), { diff: context.diff }),
    fileQuestion(keyPath(given, "asc"), { diff: false }),
    fileQuestion(keyPath(given, "gpg"), { diff: false }),
  ];
  const url = given.signed_by;
  if (given.state === "absent" || url === undefined || !isAddress(url)) return questions;
  const request = requestOf(
    { url, headers: {}, http_agent: "provision", validate_certs: true },
    { method: "GET", timeoutMs: 30_000, followRedirects: "all" },
  );
  return [...questions, { of: "http", request }];
}

const read = (answers: Answers): SourceState => ({
  source: answerTo(answers, 0, "path"),
  keys: { asc: answerTo(answers, 1, "path"), gpg: answerTo(answers, 2, "path") },
  fetched: answers[3] === undefined ? undefined : answerTo(answers, 3, "http"),
});

function plan(given: SourceArgs, state: SourceState): Plan {
  if (given.state === "absent") return planAbsent(given, state);
  const key = planKey(given, state);
  if (key.plan.fail !== undefined) return key.plan;
  const bytes = bytesOf(stanza(given, key.signedBy));
  const source = planFile({
    path: sourcePath(given),
    current: state.source,
    from: { bytes },
    sha256: digestOf(bytes, "sha256"),
    wanted: { mode: given.mode },
  });
  if (source.fail !== undefined) return source;
  return { steps: [...key.plan.steps, ...source.steps], diffs: source.diffs };
}

function planKey(
  given: SourceArgs,
  state: SourceState,
): { readonly plan: Plan; readonly signedBy: string | undefined } {
  const none: Plan = { steps: [], diffs: [] };
  const signedBy = given.signed_by;
  if (signedBy === undefined || isArmour(signedBy) || !isAddress(signedBy)) return { plan: none, signedBy };
  const { fetched } = state;
  if (fetched === undefined || fetched.failure !== undefined || fetched.status !== 200) {
    const why = fetched?.failure ?? `it answered ${fetched?.status}`;
    return { plan: { ...none, fail: `no key from ${signedBy}: ${why}` }, signedBy };
  }
  const kind = isArmour(textOf(fetched.body.subarray(0, 2000))) ? "asc" : "gpg";
  const file = planFile({
    path: keyPath(given, kind),
    current: state.keys[kind],
    from: { bytes: fetched.body },
    sha256: digestOf(fetched.body, "sha256"),
    wanted: { mode: { kind: "octal", bits: 0o644 } },
  });
  const folder = file.steps.length === 0 ? [] : [makeFolder("/etc/apt/keyrings")];
  return { plan: { ...file, steps: [...folder, ...file.steps] }, signedBy: keyPath(given, kind) };
}

function planAbsent(given: SourceArgs, state: SourceState): Plan {
  const files = [
    [sourcePath(given), state.source],
    [keyPath(given, "asc"), state.keys.asc],
    [keyPath(given, "gpg"), state.keys.gpg],
  ] as const;
  const there = files.filter(([, answer]) => answer.stat.exists).map(([path]) => path);
  return {
    steps: there.map((path) => ({ do: "run", why: `remove ${path}`, argv: ["rm", "-f", "--", path] })),
    diffs: there.map((path) => ({ path, before: "state: file\n", after: "state: absent\n" })),
  };
}

export default defineModule({
  kind: "host",
  name: "deb822_repository",
  summary:
    "Adds a source of Debian packages in the form of stanzas, with the key that signs it, or removes it.",
  args,
  example:
    "- name: the makers' packages\n  deb822_repository:\n    name: example\n    uris: https://packages.example.com/debian\n    suites: bookworm\n    components: main\n    signed_by: https://packages.example.com/key.asc\n",
  reads: "world",
  ask,
  read,
  plan,
  result: (_state, _outcome, given) => ({
    dest: sourcePath(given),
    name: given.name,
    repo: stanza(given, given.signed_by),
  }),
});
