import type { z } from "zod";
import type { Answers, HttpAnswer, PathAnswer, Question } from "../host/question.ts";
import { answerTo } from "./answers.ts";
import { defineArgs, flag, path, text, whole } from "./arguments.ts";
import { attributeArgs, attributeDiffs, pathResult, planAttributes, statOf } from "./attributes.ts";
import { defineModule } from "./define-module.ts";
import { type DigestAlgorithm, digestOf } from "./digest.ts";
import { baseName, hostPath, joinPath } from "./host-path.ts";
import { headerOf, httpArgs, requestOf, wrongUrl } from "./http-request.ts";
import type { ModuleContext, Outcome, Plan } from "./module.ts";
import { planFile } from "./plan-file.ts";

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
      return (
        wrongUrl(given.url) ??
        (given.unix_socket === undefined ? undefined : "unix_socket is not possible yet")
      );
    },
  },
);
type GetArgs = z.infer<typeof args>;

interface Target {
  readonly path: string;
  readonly answer: PathAnswer;
  /** Of the file that is there, by the task's algorithm; empty when there is none. */
  readonly digest: string;
}
interface GetState {
  readonly target: Target;
  readonly answer: HttpAnswer | undefined;
  /** The list that checksum's address gave. */
  readonly list: HttpAnswer | undefined;
}

const isAddress = (value: string): boolean => /^https?:\/\//.test(value);
const digestSh = `for f do if [ -f "$f" ] && command -v "$0" >/dev/null; then "$0" <"$f" | cut -d' ' -f1; else echo; fi; done`;
const fileName = (given: GetArgs): string => baseName(URL.parse(given.url)?.pathname ?? "/") || "index.html";

/** Round 0 looks at the host, round 1 asks the server: with a checksum that fits, nothing leaves the host. */
function ask(given: GetArgs, context: ModuleContext): readonly Question[] {
  const dest = hostPath(given.dest, context);
  const inside = joinPath(dest, fileName(given));
  const file = (path: string): Question => ({ of: "path", path, want: ["stat", "hash"], follow: true });
  const checksum = readChecksum(given.checksum);
  const digests: Question =
    checksum === undefined
      ? { of: "script", sh: ":", args: [] }
      : { of: "script", sh: digestSh.replaceAll("$0", `${checksum.algorithm}sum`), args: [dest, inside] };
  const local = [file(dest), file(inside), digests];
  if (context.round === 0) return local;
  const list: Question[] =
    checksum !== undefined && isAddress(checksum.value)
      ? [{ of: "http", request: requestFor({ ...given, url: checksum.value }) }]
      : [];
  return [...local, { of: "http", request: requestFor(given) }, ...list];
}

const requestFor = (given: GetArgs) =>
  requestOf(given, { method: "GET", timeoutMs: given.timeout * 1000, followRedirects: "all" });

function read(answers: Answers, given: GetArgs, context: ModuleContext): GetState {
  const dest = answerTo(answers, 0, "path");
  const [own = "", inner = ""] = new TextDecoder().decode(answerTo(answers, 2, "script").stdout).split("\n");
  const path = hostPath(given.dest, context);
  const isFolder = (dest.stat.exists && dest.stat.type === "directory") || given.dest.endsWith("/");
  const target: Target = isFolder
    ? { path: joinPath(path, fileName(given)), answer: answerTo(answers, 1, "path"), digest: inner }
    : { path, answer: dest, digest: own };
  return {
    target,
    answer: answers[3] === undefined ? undefined : answerTo(answers, 3, "http"),
    list: answers[4] === undefined ? undefined : answerTo(answers, 4, "http"),
  };
}

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
  if (answer.status !== 200) return refuse(`${given.url} answered ${answer.status}`);
  if (checksum !== undefined) {
    const wanted =
      state.list === undefined ? checksum.value.toLowerCase() : listed(state.list, fileName(given));
    if (wanted === undefined) return refuse(`${checksum.value} has no checksum for "${fileName(given)}"`);
    const actual = digestOf(answer.body, checksum.algorithm);
    if (actual !== wanted) {
      return refuse(
        `${given.url} gave a file with the checksum ${checksum.algorithm}:${actual}, not ${wanted}`,
      );
    }
  }
  return planFile({
    path: target.path,
    current: target.answer,
    from: { bytes: answer.body },
    sha256: digestOf(answer.body, "sha256"),
    wanted: given,
    backup: given.backup,
    unsafeWrites: given.unsafe_writes,
  });
}

function getResult(state: GetState, outcome: Outcome, given: GetArgs) {
  const { target } = state;
  const written = outcome.steps.find(({ step }) => step.do === "write")?.step;
  const bytes = written?.do === "write" && "bytes" in written.from ? written.from.bytes : undefined;
  return {
    ...pathResult(statOf(target.answer), given),
    url: given.url,
    dest: target.path,
    path: target.path,
    state: "file",
    checksum_dest: target.answer.sha256 ?? null,
    ...(bytes === undefined
      ? {}
      : { checksum_src: digestOf(bytes, "sha1"), md5sum: digestOf(bytes, "md5"), size: bytes.length }),
    ...(state.answer === undefined
      ? {}
      : {
          status_code: state.answer.status,
          elapsed: Math.round(state.answer.elapsedMs / 1000),
          msg: `OK (${headerOf(state.answer, "content-length") ?? state.answer.body.length} bytes)`,
        }),
  };
}

export default defineModule({
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
  result: (state, outcome, given) => getResult(state, outcome, given),
});
