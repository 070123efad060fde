import type { z } from "zod";
import type { JsonObject, JsonValue } from "../../base/json.ts";
import { isJsonObject, pythonJson } from "../../base/json.ts";
import type { Answers, HttpAnswer, PathAnswer, Question } from "../host/question.ts";
import { answerTo, bytesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, raw, text, whole, wholes } from "./arguments.ts";
import { askAfter, attributeArgs, pathAfter, statOf } from "./attributes.ts";
import { defineFlagged } from "./file-flags.ts";
import { hostPath, joinPath } from "./host-path.ts";
import {
  answerText,
  askClient,
  bodyDigest,
  bodySource,
  bodyText,
  headerOf,
  headerResult,
  httpArgs,
  nameInUrl,
  requestOf,
  shownUrl,
  tlsOf,
  wrongClient,
  wrongUrl,
} from "./http-request.ts";
import type { ModuleContext, Plan } from "./module.ts";
import { multipart } from "./multipart.ts";
import { planFile } from "./plan-file.ts";
import { askGuards, guardArgs, readGuards } from "./run-guards.ts";

const args = defineArgs(
  {
    ...httpArgs,
    method: text("GET, POST, PUT, PATCH, DELETE, HEAD, …", { default: "GET" }),
    body: raw("What is sent. With body_format json or form-urlencoded it may be a map or a list."),
    body_format: choice(["raw", "json", "form-urlencoded", "form-multipart"])("How body is written.", {
      default: "raw",
    }),
    src: path("A file of the controller that is sent as body."),
    remote_src: flag("src is a path of the host.", { default: false }),
    status_code: wholes("Codes that are fine.", { default: [200] }),
    timeout: whole("Seconds to wait for an answer.", { default: 30 }),
    follow_redirects: choice(["all", "none", "safe", "urllib2", "yes", "no"])("safe: only of GET and HEAD.", {
      default: "safe",
    }),
    return_content: flag("Put the answer's text into the result, also when it is not JSON.", {
      default: false,
    }),
    dest: path("A file, or folder, of the host that the answer is written to."),
    force: flag("Of Ansible: do not use caches.", { default: false }),
    ...guardArgs,
    ...attributeArgs,
  },
  {
    exclusive: [["body", "src"]],
    check: (given) => wrongUrl(given.url),
  },
);
type UriArgs = z.infer<typeof args>;

interface UriState {
  readonly needless: string | undefined;
  /** A certificate that cannot be read. */
  readonly wrong: string | undefined;
  /** Undefined in check mode, where nothing is sent that may change something. */
  readonly answer: HttpAnswer | undefined;
  readonly dest: PathAnswer | undefined;
  readonly inside: PathAnswer | undefined;
}

const redirects = {
  all: "all",
  yes: "all",
  safe: "safe",
  urllib2: "safe",
  none: "none",
  no: "none",
} as const;
const isSafe = (method: string): boolean => ["GET", "HEAD", "OPTIONS"].includes(method.toUpperCase());

interface Body {
  readonly bytes?: Uint8Array;
  readonly type?: string;
}

/** What a body is called when the task does not say: Python's urllib does so, and servers have come to expect it. */
const formType = "application/x-www-form-urlencoded";

/** src of the host: asked for in the round before. */
function remoteBody(given: UriArgs, { earlier = [] }: ModuleContext): Uint8Array | undefined {
  if (given.src === undefined || !given.remote_src || earlier.length === 0) return undefined;
  return answerTo(earlier, 0, "path").content;
}

function bodyOf(given: UriArgs, context: ModuleContext): Body {
  const source = context.sources[0];
  if (source?.kind === "file") return { bytes: source.bytes, type: formType };
  const remote = remoteBody(given, context);
  if (remote !== undefined) return { bytes: remote, type: formType };
  const { body } = given;
  if (body === undefined) return {};
  if (given.body_format === "json") {
    const json = typeof body === "string" ? body : pythonJson(body);
    return { bytes: bytesOf(json), type: "application/json" };
  }
  if (given.body_format === "form-urlencoded") {
    const form = typeof body === "string" ? body : new URLSearchParams(formPairs(body)).toString();
    return { bytes: bytesOf(form), type: formType };
  }
  if (given.body_format === "form-multipart" && isJsonObject(body)) return multipart(body);
  return { bytes: bytesOf(typeof body === "string" ? body : pythonJson(body)), type: formType };
}

const formPairs = (body: JsonValue): [string, string][] => {
  if (Array.isArray(body))
    return body.map((pair: JsonValue) =>
      Array.isArray(pair) ? [String(pair[0]), String(pair[1] ?? "")] : [String(pair), ""],
    );
  return Object.entries(isJsonObject(body) ? body : {}).flatMap(([name, value]) =>
    Array.isArray(value) ? value.map((item: JsonValue) => [name, String(item)]) : [[name, String(value)]],
  );
};

const sends = (given: UriArgs, context: ModuleContext): boolean => !context.check || isSafe(given.method);

const fileName = (given: UriArgs): string => nameInUrl(given.url);
const placesOf = (given: UriArgs, context: ModuleContext): readonly string[] => {
  const dest = hostPath(given.dest ?? "", context);
  return [dest, joinPath(dest, fileName(given))];
};

const looksFirst = (given: UriArgs): boolean =>
  (given.remote_src && given.src !== undefined) ||
  [given.creates, given.removes, given.client_cert, given.client_key, given.ca_path].some(
    (path) => path !== undefined,
  );

const askBody = (given: UriArgs, context: ModuleContext): readonly Question[] =>
  given.remote_src && given.src !== undefined
    ? [{ of: "path", path: hostPath(given.src, context), want: ["stat", "content"], follow: true }]
    : [];

/** First whether it is needed at all, then the request: a POST must not leave when `creates` says no. */
function ask(given: UriArgs, context: ModuleContext): readonly Question[] {
  if (looksFirst(given) && context.round === 0) {
    return [...askBody(given, context), ...askGuards(given, context), ...askClient(given, context)];
  }
  if (!sends(given, context)) return [];
  const { bytes, type } = bodyOf(given, context);
  const request = requestOf(given, {
    method: given.method,
    timeoutMs: given.timeout * 1000,
    followRedirects: redirects[given.follow_redirects],
    body: bytes,
    ...(type === undefined ? {} : { more: { "Content-Type": type } }),
    tls: tlsOf(given, context.earlier ?? []),
    ...(given.dest === undefined || given.return_content ? {} : { digests: ["sha256"] }),
  });
  const dest = given.dest === undefined ? undefined : hostPath(given.dest, context);
  const file = (path: string): Question => ({ of: "path", path, want: ["stat", "hash"], follow: true });
  return [
    { of: "http", request },
    ...(dest === undefined ? [] : [file(dest), file(joinPath(dest, fileName(given)))]),
  ];
}

function read(answers: Answers, given: UriArgs, context: ModuleContext): UriState {
  const none = {
    needless: undefined,
    wrong: undefined,
    answer: undefined,
    dest: undefined,
    inside: undefined,
  };
  if (looksFirst(given) && context.round === 0) {
    const body = given.remote_src && given.src !== undefined ? 1 : 0;
    const unread = body === 1 && answerTo(answers, 0, "path").content === undefined;
    const noBody = `"${given.src}" is not a file of the host that this user may read, or too long`;
    return {
      ...none,
      needless: readGuards(answers.slice(body), given),
      wrong: unread ? noBody : wrongClient(given, answers),
    };
  }
  if (answers.length === 0) return none;
  const answer = answerTo(answers, 0, "http");
  if (given.dest === undefined) return { ...none, answer };
  return { ...none, answer, dest: answerTo(answers, 1, "path"), inside: answerTo(answers, 2, "path") };
}

function plan(given: UriArgs, state: UriState, context: ModuleContext): Plan {
  const { answer } = state;
  if (state.needless !== undefined) return { steps: [], diffs: [] };
  const wrong =
    state.wrong ??
    (context.sources[0]?.kind === "large" ? `"${given.src}" is too long for a body` : undefined);
  if (wrong !== undefined) return { steps: [], diffs: [], fail: wrong };
  if (looksFirst(given) && context.round === 0) return { steps: [], diffs: [], again: true };
  if (answer === undefined) {
    return { steps: [], diffs: [], skip: `${given.method.toUpperCase()} is not sent in check mode` };
  }
  if (answer.failure !== undefined) {
    return { steps: [], diffs: [], fail: `no answer from ${given.url}: ${answer.failure}` };
  }
  if (!given.status_code.includes(answer.status)) {
    const wanted = given.status_code.join(", ");
    return { steps: [], diffs: [], fail: `${given.url} answered ${answer.status}, not ${wanted}` };
  }
  return state.dest === undefined ? { steps: [], diffs: [] } : planDest(given, state.dest, state, context);
}

const isFolder = (given: UriArgs, { stat }: PathAnswer): boolean =>
  (stat.exists && stat.type === "directory") || given.dest?.endsWith("/") === true;

function destPath(given: UriArgs, dest: PathAnswer, context: ModuleContext): string {
  const path = hostPath(given.dest ?? "", context);
  return isFolder(given, dest) ? joinPath(path, fileName(given)) : path;
}

const fileAt = (given: UriArgs, state: UriState, dest: PathAnswer): PathAnswer =>
  (isFolder(given, dest) ? state.inside : dest) ?? dest;

const needlessResult = ({ needless }: UriState): JsonObject =>
  needless === undefined ? {} : { msg: needless, stdout: needless, stdout_lines: [needless] };

function planDest(given: UriArgs, dest: PathAnswer, state: UriState, context: ModuleContext): Plan {
  const { answer } = state;
  if (answer === undefined) return { steps: [], diffs: [] };
  return planFile({
    path: destPath(given, dest, context),
    current: fileAt(given, state, dest),
    from: bodySource(answer),
    sha256: bodyDigest(answer, "sha256"),
    wanted: given,
    unsafeWrites: given.unsafe_writes,
  });
}

function jsonOf(answer: HttpAnswer): JsonObject {
  const type = headerOf(answer, "content-type") ?? "";
  if (!/^(application|text)\/([\w.-]+\+)?(json|javascript)/.test(type)) return {};
  try {
    return { json: JSON.parse(textOf(answer.body)) as JsonValue };
  } catch {
    return {};
  }
}

export default defineFlagged(
  {
    kind: "host",
    name: "uri",
    summary: "Sends an HTTP request from the host and looks at the answer.",
    args,
    example:
      "- name: the master answers\n  uri:\n    url: http://127.0.0.1:5050/health\n    status_code: 200\n  register: health\n  until: health is succeeded\n  retries: 10\n",
    reads: "world",
    sources: (given) =>
      given.src === undefined || given.remote_src ? [] : [{ from: "file", path: given.src, in: "files" }],
    ask,
    read,
    plan,
    after: (given, { dest }, context) => (dest === undefined ? [] : askAfter(destPath(given, dest, context))),
    result(state, outcome, given, context) {
      const { answer } = state;
      if (answer === undefined) return { url: given.url, ...needlessResult(state) };
      return {
        url: shownUrl(answer.url),
        status: answer.status,
        redirected: new URL(answer.url).href !== new URL(given.url).href,
        elapsed: Math.round(answer.elapsedMs / 1000),
        msg: answerText(answer),
        ...headerResult(answer),
        ...jsonOf(answer),
        ...(given.return_content ? { content: bodyText(answer) } : {}),
        ...(given.dest === undefined || state.dest === undefined
          ? {}
          : {
              ...pathAfter(outcome, statOf(fileAt(given, state, state.dest)), given),
              path: destPath(given, state.dest, context),
              state: "file",
            }),
      };
    },
  },
  {
    candidates: placesOf,
    path: (given, { dest }, context) => (dest === undefined ? undefined : destPath(given, dest, context)),
  },
);
