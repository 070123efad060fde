/**
 * Personal archives of Launchpad, as apt_repository takes them: `ppa:OWNER/NAME` stands for a source of the host's own
 * release, and for a key whose fingerprint Launchpad tells. Both are fetched through the session, over HTTPS.
 */
import { isJsonObject, type JsonValue } from "../../base/json.ts";
import type { Answers, HttpAnswer, PathAnswer, Question } from "../host/question.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { digestOf } from "./digest.ts";
import { requestOf } from "./http-request.ts";
import type { ModuleContext, Plan } from "./module.ts";
import { keyFingerprint } from "./openpgp-key.ts";
import { planFile } from "./plan-file.ts";

export interface PpaArgs {
  readonly repo: string;
  readonly codename?: string | undefined;
  readonly validate_certs: boolean;
}

export interface PpaState {
  /** The host's own; empty where it is not Ubuntu or one of its kin. */
  readonly codename: string;
  readonly keyFile: PathAnswer;
  readonly archive: HttpAnswer | undefined;
  readonly key: HttpAnswer | undefined;
}

export const isPpa = ({ repo }: PpaArgs): boolean => repo.startsWith("ppa:");

const releaseSh = `[ ! -r /etc/os-release ] || (. /etc/os-release
case " $ID $ID_LIKE " in *' ubuntu '*) printf '%s\\n' "\${UBUNTU_CODENAME:-$VERSION_CODENAME}";; esac)`;

/** "ppa:OWNER" alone means the archive that is called ppa. */
function nameOf({ repo }: PpaArgs): { readonly owner: string; readonly name: string } {
  const [owner = "", name = "ppa"] = repo.slice("ppa:".length).split("/");
  return { owner, name };
}

const isName = (name: string): boolean => /^[a-z0-9][a-z0-9.+-]*$/i.test(name);

const keyPath = (given: PpaArgs): string => {
  const { owner, name } = nameOf(given);
  return `/etc/apt/trusted.gpg.d/${owner}-ubuntu-${name}.asc`;
};

const fetch = ({ validate_certs }: PpaArgs, url: string): Question => ({
  of: "http",
  request: requestOf(
    { url, headers: { Accept: "application/json" }, http_agent: "provision", validate_certs },
    { method: "GET", timeoutMs: 30_000, followRedirects: "all" },
  ),
});

/** Round 0 looks at the host, round 1 asks Launchpad for the key's fingerprint, round 2 fetches the key. */
export function askPpa(given: PpaArgs, context: ModuleContext): readonly Question[] {
  const { owner, name } = nameOf(given);
  if (!isName(owner) || !isName(name)) return [];
  const local: Question[] = [
    { of: "script", sh: releaseSh, args: [] },
    { of: "path", path: keyPath(given), want: ["stat", "hash"] },
  ];
  if (context.round === 0) return local;
  const archive = fetch(given, `https://launchpad.net/api/1.0/~${owner}/+archive/${name}`);
  const told = context.earlier?.findLast(({ of }) => of === "http");
  const fingerprint = told?.of === "http" ? fingerprintIn(told.value) : undefined;
  if (context.round === 1 || fingerprint === undefined) return [...local, archive];
  const key = `https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x${fingerprint}`;
  return [...local, archive, fetch(given, key)];
}

/** `answers` begin with those to `askPpa`. */
export function readPpa(answers: Answers): PpaState | undefined {
  const http = answers.flatMap((answer) => (answer.of === "http" ? [answer.value] : []));
  if (answers[0]?.of !== "script" || answers[1]?.of !== "path") return undefined;
  return {
    codename: linesOf(textOf(answerTo(answers, 0, "script").stdout))[0] ?? "",
    keyFile: answerTo(answers, 1, "path"),
    archive: http[0],
    key: http[1],
  };
}

/** The source as a line of sources.list, or why there is none. */
export function ppaSource(
  given: PpaArgs,
  state: PpaState | undefined,
): string | { readonly refused: string } {
  const { owner, name } = nameOf(given);
  if (state === undefined) return { refused: `"${given.repo}" is not a source: ppa:OWNER/NAME` };
  const codename = given.codename ?? state.codename;
  if (codename === "") return { refused: `"${given.repo}" is for Ubuntu, which this host is not` };
  return `deb http://ppa.launchpad.net/${owner}/${name}/ubuntu ${codename} main`;
}

/** The same archive under the names that it had in the course of time. */
export const samePpa = (source: string): string =>
  source.replace(/\bhttps?:\/\/ppa\.launchpad(?:content)?\.net\//, "http://ppa.launchpad.net/");

function fingerprintIn({ status, body }: HttpAnswer): string | undefined {
  if (status !== 200) return undefined;
  try {
    const told = JSON.parse(textOf(body)) as JsonValue;
    const fingerprint = isJsonObject(told) ? told["signing_key_fingerprint"] : undefined;
    return typeof fingerprint === "string" && /^[0-9A-F]{40}$/i.test(fingerprint)
      ? fingerprint.toUpperCase()
      : undefined;
  } catch {
    return undefined;
  }
}

const refuse = (fail: string): Plan => ({ steps: [], diffs: [], fail });

/** What brings the key to the host; `again` while something has still to be fetched. */
export function planPpaKey(given: PpaArgs, { keyFile, archive, key }: PpaState): Plan {
  if (keyFile.stat.exists) return { steps: [], diffs: [] };
  if (archive === undefined) return { steps: [], diffs: [], again: true };
  const fingerprint = fingerprintIn(archive);
  if (fingerprint === undefined)
    return refuse(`Launchpad told no key of "${given.repo}": ${wrongAnswer(archive)}`);
  if (key === undefined) return { steps: [], diffs: [], again: true };
  if (key.status !== 200)
    return refuse(`no key ${fingerprint} from keyserver.ubuntu.com: ${wrongAnswer(key)}`);
  const actual = keyFingerprint(key.body);
  if (actual !== fingerprint)
    return refuse(
      `keyserver.ubuntu.com gave ${actual ?? "no key"}, not the key ${fingerprint} of "${given.repo}"`,
    );
  return planFile({
    path: keyPath(given),
    current: keyFile,
    from: { bytes: key.body },
    sha256: digestOf(key.body, "sha256"),
    wanted: { mode: { kind: "octal", bits: 0o644 } },
  });
}

const wrongAnswer = ({ failure, status }: HttpAnswer): string => failure ?? `it answered ${status}`;
