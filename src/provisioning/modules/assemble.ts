import type { z } from "zod";
import { boundedRegexps } from "../../base/bounded-regexp.ts";
import type { JsonObject } from "../../base/json.ts";
import { pythonRegExp } from "../../base/python-regexp.ts";
import type { Answers, PathAnswer, Question } from "../host/question.ts";
import { answerTo } from "./answers.ts";
import { defineArgs, flag, path, text } from "./arguments.ts";
import { askAfter, attributeArgs, pathAfter, statOf } from "./attributes.ts";
import { digestOf } from "./digest.ts";
import { defineFlagged } from "./file-flags.ts";
import { hostPath } from "./host-path.ts";
import type { Fragment, ModuleContext, Plan } from "./module.ts";
import { printNamedFileSh, readNamedFiles } from "./named-files.ts";
import { backupResult, fileQuestion, planFile, writeArgs } from "./plan-file.ts";

const args = defineArgs({
  src: path("Folder with the fragments.", { required: true }),
  dest: path("The file that they are put together into.", { required: true }),
  regexp: text("Python regular expression that the fragments' names must match."),
  delimiter: text("What stands between two fragments; \\n is a newline."),
  ignore_hidden: flag("Leave out names with a dot in front.", { default: false }),
  remote_src: flag("src is a folder of the host; otherwise of the controller.", { default: true }),
  decrypt: flag("Open fragments of the controller that are vault files.", { default: true }),
  ...writeArgs,
  ...attributeArgs,
});
type AssembleArgs = z.infer<typeof args>;

interface AssembleState {
  readonly fragments: readonly Fragment[] | undefined;
  readonly dest: PathAnswer;
}

/** Code 7: no such folder. */
const fragmentsSh = `cd -- "$1" 2>/dev/null || exit 7
for f in .[!.]* *; do [ -f "$f" ] && [ -r "$f" ] || continue; ${printNamedFileSh}; done; exit 0`;

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** Each fragment ends with a newline before the next one, or the delimiter, begins. */
function assembled(
  given: AssembleArgs,
  fragments: readonly Fragment[],
): Uint8Array | { readonly refused: string } {
  const compiled = given.regexp === undefined ? undefined : pythonRegExp(given.regexp);
  if (compiled !== undefined && "refused" in compiled) return compiled;
  const sorted = fragments.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const chars = sorted.reduce((sum, { name }) => sum + name.length, 0);
  const picked = boundedRegexps(given.regexp === undefined ? [] : [given.regexp], chars, () =>
    sorted.filter(
      ({ name }) => !(given.ignore_hidden && name.startsWith(".")) && (compiled?.regexp.test(name) ?? true),
    ),
  );
  if ("refused" in picked) return picked;
  const chosen = picked.made;
  const delimiter = given.delimiter?.replace(
    /\\([nrt\\])/g,
    (_, letter: string) => escapes[letter] ?? letter,
  );
  const parts: Buffer[] = [];
  for (const [index, { bytes }] of chosen.entries()) {
    // An empty one too.
    if (index > 0 && chosen[index - 1]?.bytes.at(-1) !== 10) parts.push(Buffer.from("\n"));
    if (index > 0 && delimiter !== undefined) {
      parts.push(Buffer.from(delimiter.endsWith("\n") ? delimiter : `${delimiter}\n`));
    }
    parts.push(Buffer.from(bytes));
  }
  return new Uint8Array(Buffer.concat(parts));
}

const ask = (given: AssembleArgs, context: ModuleContext): readonly Question[] => [
  given.remote_src
    ? { of: "script", sh: fragmentsSh, args: [hostPath(given.src, context)] }
    : { of: "script", sh: ":", args: [] },
  fileQuestion(hostPath(given.dest, context), { diff: context.diff, follow: true }),
];

function read(answers: Answers, given: AssembleArgs, context: ModuleContext): AssembleState {
  const answer = answerTo(answers, 0, "script");
  const source = context.sources[0];
  const local = source?.kind === "fragments" ? source.files : undefined;
  const remote = answer.code === 7 ? undefined : readNamedFiles(answer.stdout);
  return {
    fragments: given.remote_src ? remote : local,
    dest: answerTo(answers, 1, "path"),
  };
}

function plan(given: AssembleArgs, state: AssembleState, context: ModuleContext): Plan {
  if (state.fragments === undefined) return { steps: [], diffs: [], fail: `"${given.src}" is not a folder` };
  const bytes = assembled(given, state.fragments);
  if ("refused" in bytes) return { steps: [], diffs: [], fail: bytes.refused };
  return planFile({
    path: hostPath(given.dest, context),
    current: state.dest,
    from: { bytes },
    sha256: digestOf(bytes, "sha256"),
    wanted: given,
    backup: given.backup,
    validate: given.validate,
    unsafeWrites: given.unsafe_writes,
  });
}

function assembledResult(given: AssembleArgs, state: AssembleState): JsonObject {
  const bytes = state.fragments === undefined ? undefined : assembled(given, state.fragments);
  if (bytes === undefined || "refused" in bytes) return {};
  return { size: bytes.length, checksum: digestOf(bytes, "sha1"), md5sum: digestOf(bytes, "md5") };
}

export default defineFlagged(
  {
    kind: "host",
    name: "assemble",
    summary: "Puts a file together from the fragments in a folder.",
    args,
    example:
      "- name: one file of many\n  assemble: {src: /etc/haproxy/conf.d, dest: /etc/haproxy/haproxy.cfg}\n",
    reads: "host",
    sources: (given) =>
      given.remote_src ? [] : [{ from: "fragments", path: given.src, keepVault: !given.decrypt }],
    ask,
    read,
    plan,
    after: (given, _state, context) => askAfter(hostPath(given.dest, context)),
    result: (state, outcome, given, context) => ({
      ...pathAfter(outcome, statOf(state.dest), given),
      ...(outcome.failed && outcome.steps.length === 0 ? {} : assembledResult(given, state)),
      ...backupResult(outcome),
      msg: "OK",
      state: "file",
      src: hostPath(given.src, context),
      dest: hostPath(given.dest, context),
    }),
  },
  {
    candidates: (given, context) => [hostPath(given.dest, context)],
    path: (given, _state, context) => hostPath(given.dest, context),
  },
);
