import type { z } from "zod";
import type { Answers, HttpAnswer, HttpRequest, PathAnswer, Question } from "../host/question.ts";
import { answerTo } from "./answers.ts";
import { defineArgs, flag, path, text, whole } from "./arguments.ts";
import { askAfter, attributeArgs, attributeDiffs, pathAfter, planAttributes, statOf } from "./attributes.ts";
import { type DigestAlgorithm, digestOf } from "./digest.ts";
import { defineFlagged } from "./file-flags.ts";
import { baseName, hostPath, joinPath } from "./host-path.ts";
import {
  answerText,
  askClient,
  bodyDigest,
  bodySource,
  headerOf,
  httpArgs,
  nameInUrl,
  nameOfBody,
  requestOf,
  shownUrl,
  tlsOf,
  wrongClient,
  wrongUrl,
} from "./http-request.ts";
import type { ModuleContext, Outcome, Plan } from "./module.ts";
import { backupResult, planFile } from "./plan-file.ts";

const algorithms = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] as const;

interface Checksum {
  readonly algorithm: DigestAlgorithm;
  /** Hex, or the address of a list of checksums. */
  readonly value: string;
}

function readChecksum(given: string | undefined): Checksum | undefined {
  const match = /^\s*(\w+):(.+)$/s.exec(given ?? "");
  const algorithm = algorithms.find((name) => name === match?.[1]?.toLowerCase());
  return algorithm === undefined ? undefined : { algorithm, value: (match?.[2] ?? "").trim() };
}

const args = defineArgs(
  {
    ...httpArgs,
    dest: path("A file, or folder, of the host.", { required: true }),
    checksum: text("ALGORITHM:HEX, or ALGORITHM:ADDRESS of a list of checksums, that the file must have."),
    force: flag("Fetch the file also when dest exists and the server says it is no newer.", {
      default: false,
    }),
    timeout: whole("Seconds to wait for an answer.", { default: 10 }),
    backup: flag("Keep the old file beside the new one, with the time in its name.", { default: false }),
    tmp_dest: path("Of Ansible; a file is always written beside dest first."),
    ...attributeArgs,
  },
  {
    check(given) {
      const isWrong = (given.checksum ?? "") !== "" && readChecksum(given.checksum) === undefined;
      if (isWrong) return `checksum must be ALGORITHM:HEX, and ALGORITHM one of ${algorithms.join(", ")}`;
      return wrongUrl(given.url);
    },
  },
);
type GetArgs = z.infer<typeof args>;

interface Target {
  readonly path: string;
  readonly answer: PathAnswer;
  /** Of the file that is there, by the task's algorithm or else SHA-1; empty when there is none. */
  readonly digest: string;
}
interface GetState {
  readonly target: Target;
  readonly answer: HttpAnswer | undefined;
  /** The list that checksum's address gave. */
  readonly list: HttpAnswer | undefined;
  readonly wrong: string | undefined;
  /** dest is a folder, and the answer may name the file otherwise than its address does. */
  readonly mayRename: boolean;
}

const isAddress = (value: string): boolean => /^https?:\/\//.test(value);
const digestSh = `for f do if [ -f "$f" ] && command -v "$0" >/dev/null; then "$0" <"$f" | cut -d' ' -f1; else echo; fi; done`;
const fileName = (given: GetArgs): string => nameInUrl(given.url);
const placesOf = (given: GetArgs, context: ModuleContext): readonly string[] => {
  const dest = hostPath(given.dest, context);
  return [dest, joinPath(dest, fileName(given))];
};

/** Round 0 looks at the host, round 1 asks the server: with a checksum that fits, nothing leaves the host. */
function ask(given: GetArgs, context: ModuleContext): readonly Question[] {
  const dest = hostPath(given.dest, context);
  const inside = joinPath(dest, fileName(given));
  const file = (path: string): Question => ({ of: "path", path, want: ["stat", "hash"], follow: true });
  const checksum = readChecksum(given.checksum);
  const program = `${checksum?.algorithm ?? "sha1"}sum`;
  const digests: Question = {
    of: "script",
    sh: digestSh.replaceAll("$0", program),
    args: [dest, inside],
  };
  const local = [file(dest), file(inside), digests];
  if (context.round === 0) return [...local, ...askClient(given, context)];
  const renamed = renamedTo(given, context);
  if (renamed !== undefined) return [file(renamed)];
  const earlier = context.earlier ?? [];
  const tls = tlsOf(given, earlier);
  const options = { method: "GET", timeoutMs: given.timeout * 1000, followRedirects: "all" } as const;
  const list = checksum !== undefined && isAddress(checksum.value) ? checksum.value : undefined;
  const whole = requestOf(given, {
    ...options,
    tls,
    digests: [...new Set(["sha256", "sha1", checksum?.algorithm ?? "sha256"])],
    more: sinceOf(given, earlier, context),
  });
  const http = (request: HttpRequest): Question => ({ of: "http", request });
  return [
    ...local,
    http(whole),
    ...(list === undefined ? [] : [http(requestOf({ ...given, url: list }, { ...options, tls }))]),
  ];
}

/** Into a folder, a file goes under the name that the server gave it: told by the answer of the round before. */
function renamedTo(given: GetArgs, { earlier = [], ...context }: ModuleContext): string | undefined {
  const answer = earlier[3] === undefined ? undefined : answerTo(earlier, 3, "http");
  if (answer === undefined || !isFolder(given, answerTo(earlier, 0, "path"))) return undefined;
  return joinPath(hostPath(given.dest, { ...context, earlier }), nameOfBody(answer));
}

const isFolder = (given: GetArgs, { stat }: PathAnswer): boolean =>
  (stat.exists && stat.type === "directory") || given.dest.endsWith("/");

/** A file that is there, and of which nothing else is known, is sent again only when the server has a newer one. */
function sinceOf(given: GetArgs, earlier: Answers, context: ModuleContext): Readonly<Record<string, string>> {
  if (given.force || given.checksum !== undefined || earlier.length === 0) return {};
  const stat = statOf(targetOf(earlier, given, context).answer);
  return stat?.type === "file" ? { "If-Modified-Since": new Date(stat.mtime * 1000).toUTCString() } : {};
}

function targetOf(answers: Answers, given: GetArgs, context: ModuleContext): Target {
  const dest = answerTo(answers, 0, "path");
  const [own = "", inner = ""] = new TextDecoder().decode(answerTo(answers, 2, "script").stdout).split("\n");
  const path = hostPath(given.dest, context);
  return isFolder(given, dest)
    ? { path: joinPath(path, fileName(given)), answer: answerTo(answers, 1, "path"), digest: inner }
    : { path, answer: dest, digest: own };
}

function read(answers: Answers, given: GetArgs, context: ModuleContext): GetState {
  const renamed = context.round === 0 ? undefined : renamedTo(given, context);
  const { earlier = [] } = context;
  if (renamed !== undefined) {
    const target = { path: renamed, answer: answerTo(answers, 0, "path"), digest: "" };
    return { ...readAnswers(earlier), target, mayRename: false };
  }
  const target = targetOf(answers, given, context);
  if (context.round === 0) {
    const wrong = wrongClient(given, answers);
    return { target, answer: undefined, list: undefined, wrong, mayRename: false };
  }
  const mayRename = isFolder(given, answerTo(answers, 0, "path"));
  return { ...readAnswers(answers), target, mayRename };
}

const readAnswers = (answers: Answers) => ({
  wrong: undefined,
  answer: answers[3] === undefined ? undefined : answerTo(answers, 3, "http"),
  list: answers[4] === undefined ? undefined : answerTo(answers, 4, "http"),
});

/** A list of checksums has lines "HEX  NAME", or just the one HEX. */
function listed(list: HttpAnswer, name: string): string | undefined {
  const lines = new TextDecoder()
    .decode(list.body)
    .split(/\r?\n/)
    .map((line) => line.trim().split(/\s+/))
    .filter(([hex = ""]) => /^[0-9a-fA-F]{32,128}$/.test(hex));
  const named = lines.find(([, file = ""]) => baseName(file.replace(/^[*./]+/, "")) === name);
  const only = lines.length === 1 && lines[0]?.length === 1 ? lines[0] : undefined;
  return (named ?? only)?.[0]?.toLowerCase();
}

function plan(given: GetArgs, state: GetState): Plan {
  const { target } = state;
  const stat = statOf(target.answer);
  const checksum = readChecksum(given.checksum);
  const isRight =
    checksum !== undefined && target.digest !== "" && target.digest === checksum.value.toLowerCase();
  if (isRight && !given.force && stat !== undefined) return keep(given, target);
  if (state.wrong !== undefined) return { steps: [], diffs: [], fail: state.wrong };
  if (state.answer === undefined) return { steps: [], diffs: [], again: true };
  return planFetched(given, { ...state, answer: state.answer }, checksum);
}

function keep(given: GetArgs, { path, answer }: Target): Plan {
  const stat = statOf(answer);
  if (stat === undefined) return { steps: [], diffs: [] };
  const attributes = planAttributes(path, stat, given);
  return { steps: attributes.steps, diffs: attributeDiffs(path, attributes) };
}

function planFetched(
  given: GetArgs,
  state: GetState & { readonly answer: HttpAnswer },
  checksum: Checksum | undefined,
): Plan {
  const { answer, target } = state;
  const refuse = (fail: string): Plan => ({ steps: [], diffs: [], fail });
  if (answer.failure !== undefined) return refuse(`no answer from ${given.url}: ${answer.failure}`);
  if (answer.status === 304) return keep(given, target);
  if (answer.status !== 200) return refuse(`${shownUrl(given.url)} answered ${answer.status}`);
  if (state.mayRename && nameOfBody(answer) !== fileName(given)) {
    return { steps: [], diffs: [], again: true };
  }
  if (checksum !== undefined) {
    const wanted =
      state.list === undefined ? checksum.value.toLowerCase() : listed(state.list, fileName(given));
    if (wanted === undefined) return refuse(`${checksum.value} has no checksum for "${fileName(given)}"`);
    const actual = bodyDigest(answer, checksum.algorithm);
    if (actual !== wanted) {
      return refuse(
        `${given.url} gave a file with the checksum ${checksum.algorithm}:${actual}, not ${wanted}`,
      );
    }
  }
  return planFile({
    path: target.path,
    current: target.answer,
    from: bodySource(answer),
    sha256: bodyDigest(answer, "sha256"),
    wanted: given,
    backup: given.backup,
    unsafeWrites: given.unsafe_writes,
    // As Ansible does: a link gives way to the file.
    follow: false,
  });
}

function getResult(state: GetState, outcome: Outcome, given: GetArgs) {
  const { target } = state;
  const answer = state.answer?.status === 200 ? state.answer : undefined;
  const size = answer?.file?.sizeBytes ?? answer?.body.length;
  return {
    ...pathAfter(outcome, statOf(target.answer), given),
    url: shownUrl(given.url),
    dest: target.path,
    path: target.path,
    state: "file",
    checksum_dest: /^[0-9a-f]{40}$/.test(target.digest) ? target.digest : null,
    ...(answer === undefined ? {} : { checksum_src: bodyDigest(answer, "sha1") }),
    ...(answer === undefined || answer.file !== undefined ? {} : { md5sum: digestOf(answer.body, "md5") }),
    ...(size === undefined ? {} : { size }),
    ...backupResult(outcome),
    ...(state.answer === undefined
      ? outcome.failed
        ? {}
        : { msg: "file already exists", checksum_src: null, elapsed: 0 }
      : {
          status_code: state.answer.status,
          ...(state.answer.status >= 400 ? { response: answerText(state.answer) } : {}),
          elapsed: Math.round(state.answer.elapsedMs / 1000),
          msg:
            state.answer.status !== 200
              ? answerText(state.answer)
              : `OK (${headerOf(state.answer, "content-length") ?? size ?? 0} bytes)`,
        }),
  };
}

export default defineFlagged(
  {
    kind: "host",
    name: "get_url",
    summary: "Fetches a file over HTTP to the host.",
    args,
    example:
      "- name: the tool, as its makers built it\n  get_url:\n    url: http://files.example.com/tool.tar.gz\n    dest: /opt/tool.tar.gz\n    checksum: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
    reads: "world",
    ask,
    read,
    plan,
    after: (_given, { target }) => askAfter(target.path),
    result: (state, outcome, given) => getResult(state, outcome, given),
  },
  {
    candidates: placesOf,
    path: (_given, { target }) => target.path,
  },
);
