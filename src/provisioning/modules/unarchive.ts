import type { z } from "zod";
import type { JsonObject } from "../../base/json.ts";
import type { Answers, HttpAnswer, PathAnswer, Question, ScriptAnswer } from "../host/question.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { type ArchiveEntry, kindOfArchive, listArchive } from "./archive-listing.ts";
import { defineArgs, flag, list, path, refused, whole } from "./arguments.ts";
import { askAfter, attributeArgs, pathAfter, planAttributes, statOf } from "./attributes.ts";
import { defineModule } from "./define-module.ts";
import { digestOf } from "./digest.ts";
import { hostPath, joinPath } from "./host-path.ts";
import { bodySource, requestOf } from "./http-request.ts";
import type { ModuleContext, Outcome, Plan } from "./module.ts";
import { bringStep, compareSh, extractSteps, modeWord, uploadName } from "./unarchive-command.ts";

const args = defineArgs({
  src: path("An archive of the controller; with remote_src a path or an address that the host can reach.", {
    required: true,
  }),
  dest: path("Folder of the host to unpack into. It must be there.", { required: true }),
  remote_src: flag("src is on the host already.", { default: false }),
  copy: flag("Old way to say `not remote_src`.", { default: true }),
  creates: path("A path: the task does nothing when it exists."),
  exclude: list("Members (patterns) to leave out.", { default: [] }),
  include: list("Members to unpack, and no others.", { default: [] }),
  extra_opts: list("More words for tar or unzip.", { default: [] }),
  keep_newer: flag("Do not replace files that are newer than the archive's.", { default: false }),
  list_files: flag("Put the names of the members into the result.", { default: false }),
  decrypt: flag("Open src when it is a vault file.", { default: true }),
  io_buffer_size: whole("Of Ansible; has no effect.", { default: 65_536 }),
  validate_certs: flag("Check the server's certificate when src is an address.", { default: true }),
  ...attributeArgs,
  attributes: refused(
    "is not set of what is unpacked: a task of its own does it, command: chattr -R +i PATH",
    {
      aliases: ["attr"],
    },
  ),
});
export type UnarchiveArgs = z.infer<typeof args>;

interface State {
  readonly isCreated: boolean;
  readonly dest: PathAnswer;
  /** Of an archive that the controller could list: what is at each member's place. */
  readonly places: readonly PathAnswer[];
  /** Of an archive on the host: what the comparison said. */
  readonly compared: ScriptAnswer | undefined;
  readonly fetched: HttpAnswer | undefined;
}

const isRemote = (given: UnarchiveArgs): boolean => given.remote_src || !given.copy;
const isAddress = (given: UnarchiveArgs): boolean => isRemote(given) && /^https?:\/\//.test(given.src);

/** The bytes, where the controller has them. */
function bytesFor(given: UnarchiveArgs, context: ModuleContext): Uint8Array | undefined {
  const source = context.sources[0];
  return !isRemote(given) && source?.kind === "file" ? source.bytes : undefined;
}

/** Members that can be asked for one by one; undefined when only the host can tell. */
function membersOf(given: UnarchiveArgs, context: ModuleContext): readonly ArchiveEntry[] | undefined {
  const bytes = bytesFor(given, context);
  const chooses = given.exclude.length > 0 || given.include.length > 0 || given.extra_opts.length > 0;
  return bytes === undefined || chooses || given.keep_newer ? undefined : listArchive(bytes);
}

/** Where the archive lies on the host while it is compared and unpacked. */
function archivePath(given: UnarchiveArgs, context: ModuleContext): string {
  if (isRemote(given) && !isAddress(given)) return hostPath(given.src, context);
  const source = context.sources[0];
  const isLocal = source?.kind === "file" || source?.kind === "large";
  const key = isLocal ? source.sha256 : digestOf(given.src, "sha256");
  return uploadName(hostPath(given.dest, context), key);
}

function ask(given: UnarchiveArgs, context: ModuleContext): readonly Question[] {
  const dest = hostPath(given.dest, context);
  const questions: Question[] = [
    { of: "path", path: dest, want: ["stat"], follow: true },
    { of: "path", path: hostPath(given.creates ?? "/nonexistent", context), want: ["stat"] },
  ];
  const members = membersOf(given, context);
  if (members !== undefined) {
    for (const member of members) {
      questions.push({ of: "path", path: joinPath(dest, member.path), want: ["stat", "hash", "link"] });
    }
    return questions;
  }
  // An address: look, fetch, compare. A file of the controller: look, compare. A file of the host: compare.
  const comparesAt = isAddress(given) ? 2 : isRemote(given) ? 0 : 1;
  if (context.round >= comparesAt) return [...questions, compareQuestion(given, context)];
  return isAddress(given) && context.round === 1 ? [...questions, fetchQuestion(given)] : questions;
}

const fetchQuestion = (given: UnarchiveArgs): Question => ({
  of: "http",
  request: requestOf(
    { url: given.src, headers: {}, http_agent: "provision", validate_certs: given.validate_certs },
    { method: "GET", timeoutMs: 600_000, followRedirects: "all", digests: ["sha256"] },
  ),
});

function compareQuestion(given: UnarchiveArgs, context: ModuleContext): Question {
  const wanted = [given.owner ?? "", given.group ?? "", modeWord(given.mode)];
  const listing = given.list_files ? ["--list"] : [];
  const options = [...listing, ...given.exclude.map((name) => `--exclude=${name}`), "--", ...given.include];
  const words = [archivePath(given, context), hostPath(given.dest, context), ...wanted, ...options];
  return { of: "script", sh: compareSh, args: words };
}

function read(answers: Answers, given: UnarchiveArgs, context: ModuleContext): State {
  const members = membersOf(given, context);
  const last = answers.at(-1);
  return {
    dest: answerTo(answers, 0, "path"),
    isCreated: given.creates !== undefined && answerTo(answers, 1, "path").stat.exists,
    places: (members ?? []).map((_, index) => answerTo(answers, index + 2, "path")),
    compared: last?.of === "script" ? last.value : undefined,
    fetched: last?.of === "http" ? last.value : undefined,
  };
}

const nothing: Plan = { steps: [], diffs: [] };
const refuse = (fail: string): Plan => ({ ...nothing, fail });

function plan(given: UnarchiveArgs, state: State, context: ModuleContext): Plan {
  if (state.isCreated) return { ...nothing, skip: `skipped, since ${given.creates} exists` };
  const stat = statOf(state.dest);
  if (stat?.type !== "directory") return refuse(`dest "${given.dest}" is not a folder of the host`);
  const members = membersOf(given, context);
  if (members !== undefined) return planMembers(given, members, state, context);
  if (isRemote(given) && !isAddress(given)) return planCompared(given, state, context, false);
  return planCarried(given, state, context);
}

/** The controller knows the members: nothing is sent unless something differs. */
function planMembers(
  given: UnarchiveArgs,
  members: readonly ArchiveEntry[],
  state: State,
  context: ModuleContext,
): Plan {
  const dest = hostPath(given.dest, context);
  const isRoot = context.facts.base.uid === 0;
  const differs = members.filter((member, index) => !isThere(member, state.places[index], given, isRoot));
  const bytes = bytesFor(given, context);
  if (differs.length > 0 && bytes !== undefined) {
    const from = { bytes, uploadTo: archivePath(given, context), uid: context.facts.base.uid };
    const steps = extractSteps({ given, dest, kind: kindOfArchive(bytes), from });
    const shown = differs.map(({ path }) => `${path}\n`).join("");
    return { steps, diffs: [{ path: dest, before: "", after: shown }] };
  }
  const steps = members.flatMap((member, index) => {
    const answer = state.places[index];
    const stat = answer && statOf(answer);
    return stat === undefined ? [] : planAttributes(joinPath(dest, member.path), stat, given).steps;
  });
  return { steps, diffs: [] };
}

function isThere(
  member: ArchiveEntry,
  answer: PathAnswer | undefined,
  given: UnarchiveArgs,
  isRoot: boolean,
): boolean {
  const stat = answer && statOf(answer);
  if (stat?.type !== member.type) return false;
  if (member.type === "link") return answer?.linkTarget === member.target;
  // Only root's tar keeps modes as they are; others have their umask taken off.
  if (isRoot && given.mode === undefined && stat.mode !== member.mode) return false;
  return member.type === "directory" || answer?.sha256 === member.sha256;
}

/** The host must look itself: the archive is brought there first, compared, unpacked, and taken away again. */
function planCarried(given: UnarchiveArgs, state: State, context: ModuleContext): Plan {
  if (context.check) return { steps: [{ do: "run", why: `unpack ${given.src}`, argv: ["true"] }], diffs: [] };
  if (state.compared !== undefined) return planCompared(given, state, context, true);
  if (isAddress(given) && state.fetched === undefined) return { ...nothing, again: true };
  if (state.fetched?.failure !== undefined)
    return refuse(`no answer from ${given.src}: ${state.fetched.failure}`);
  if (state.fetched !== undefined && state.fetched.status !== 200) {
    return refuse(`${given.src} answered ${state.fetched.status}`);
  }
  const source = context.sources[0];
  const from =
    state.fetched !== undefined
      ? bodySource(state.fetched)
      : source?.kind === "file"
        ? { bytes: source.bytes }
        : source?.kind === "large"
          ? { file: source.file, sha256: source.sha256, sizeBytes: source.sizeBytes }
          : undefined;
  if (from === undefined) return refuse(`"${given.src}" is not a file`);
  const path = archivePath(given, context);
  return {
    steps: [bringStep({ src: given.src, path, from, uid: context.facts.base.uid })],
    diffs: [],
    unchanged: true,
    again: true,
  };
}

const saidBy = ({ compared }: State): readonly string[] =>
  linesOf(textOf(compared?.stdout ?? new Uint8Array()));

/** Folders end with a slash, as tar and unzip name them. */
const listedAs = ({ path, type }: ArchiveEntry): string => (type === "directory" ? `${path}/` : path);
const listedIn = (state: State): readonly string[] =>
  saidBy(state).flatMap((line) => (line.startsWith("member ") ? [line.slice("member ".length)] : []));

/** What was brought does not stay when nothing comes of it. */
const removeAndFail = ({ src }: UnarchiveArgs, file: string, problem: string) => ({
  do: "run" as const,
  why: `unpack ${src}`,
  argv: ["sh", "-c", 'rm -f -- "$1"; printf "%s\\n" "$2" >&2; exit 1', "sh", file, problem],
});

function planCompared(given: UnarchiveArgs, state: State, context: ModuleContext, isOurs: boolean): Plan {
  const file = archivePath(given, context);
  const [verdict = "unreadable", ...names] = saidBy(state).filter((line) => !line.startsWith("member "));
  const remove = { do: "run" as const, why: "take the archive away", argv: ["rm", "-f", "--", file] };
  const problems: Readonly<Record<string, string>> = {
    missing: `"${given.src}" does not exist on the host`,
    "no-unzip": "there is no unzip on the host: install the package unzip",
    "no-tar": "there is no tar on the host: install the package tar",
    unreadable: `"${given.src}" cannot be read as an archive: ${textOf(state.compared?.stderr ?? new Uint8Array()).trim()}`,
  };
  const problem = problems[verdict];
  if (problem !== undefined)
    return isOurs ? { ...nothing, steps: [removeAndFail(given, file, problem)] } : refuse(problem);
  if (verdict === "same") return isOurs ? { steps: [remove], diffs: [], unchanged: true } : nothing;
  const dest = hostPath(given.dest, context);
  const kind = names.includes("zip") ? "zip" : "tar";
  const steps = extractSteps({ given, dest, kind, from: { file, isOurs } });
  return { steps, diffs: [{ path: dest, before: "", after: `(unpacked ${given.src})\n` }] };
}

/** What tar or unzip said. */
function extractResults({ failed, steps }: Outcome): JsonObject {
  const unpacked = steps.findLast(({ step }) => step.why.startsWith("unpack "));
  if (failed || unpacked?.step.do !== "run") return {};
  const { code, stdout, stderr } = unpacked.result;
  const { argv } = unpacked.step;
  const cmd = argv.slice(argv.findIndex((word) => word === "tar" || word === "unzip"));
  return { extract_results: { cmd, rc: code, out: textOf(stdout), err: textOf(stderr) } };
}

export default defineModule({
  kind: "host",
  name: "unarchive",
  summary: "Unpacks an archive into a folder of the host.",
  args,
  example: "- name: the tool\n  unarchive: {src: tool.tar.gz, dest: /opt, creates: /opt/tool/bin}\n",
  reads: "host",
  sources: (given) => (isRemote(given) ? [] : [{ from: "file", path: given.src, in: "files" }]),
  ask,
  read,
  plan,
  after: (given, _state, context) => askAfter(hostPath(given.dest, context)),
  result(state, outcome, given, context) {
    const members = membersOf(given, context);
    return {
      ...pathAfter(outcome, statOf(state.dest), {}),
      ...extractResults(outcome),
      src: given.src,
      dest: hostPath(given.dest, context),
      state: "directory",
      ...(given.list_files ? { files: members === undefined ? listedIn(state) : members.map(listedAs) } : {}),
    };
  },
});
