/** apt's deb argument: a package file that lies on the host, or an address that it is fetched from. */
import type { Answer, Question } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { linesOf, textOf } from "./answers.ts";
import { type AptOptions, aptGet, aptStep } from "./apt-command.ts";
import { cleanUpSh } from "./clean-up.ts";
import { digestOf } from "./digest.ts";
import { hostPath } from "./host-path.ts";
import { requestOf } from "./http-request.ts";
import type { ModuleContext, Plan } from "./module.ts";

export interface DebState {
  /** Undefined: there is no such package file. */
  readonly name: string | undefined;
  readonly version: string;
  readonly installed: string;
}

/** With an address: what is known after each round. */
export type DebKnown =
  | { readonly known: "nothing" }
  | { readonly known: "fetched"; readonly body: Uint8Array; readonly failure: string | undefined }
  | { readonly known: "package"; readonly state: DebState };

export interface DebArgs extends AptOptions {
  readonly deb?: string | undefined;
  readonly state: string;
}

/** Name, version, installed version. A fetched file goes at once if it will not be needed: $2 says when. */
const debSh = `drop() { case $2 in "$3"|always) rm -f -- "$1";; esac; exit 0; }
n=$(dpkg-deb -f "$1" Package 2>/dev/null) && [ -n "$n" ] || drop "$@" needless
v=$(dpkg-deb -f "$1" Version)
i=$(dpkg-query -W -f='\${db:Status-Status} \${Version}\\n' "$n" 2>/dev/null | sed -n 's/^installed //p')
printf '%s\\n' "$n" "$v" "$i"
[ "$v" != "$i" ] || drop "$@" needless
drop "$@" no`;

const fetchLimitMs = 300_000;

const addressOf = ({ deb = "" }: DebArgs): string | undefined => (/^https?:\/\//.test(deb) ? deb : undefined);

function fileOf(args: DebArgs, context: ModuleContext): string {
  const address = addressOf(args);
  if (address !== undefined) return `/var/tmp/provision-${digestOf(address, "sha256").slice(0, 16)}.deb`;
  const path = hostPath(args.deb ?? "", context);
  return path.startsWith("/") ? path : `./${path}`;
}

/** An address is fetched in the second round, and looked into in the third. */
export function debQuestions(args: DebArgs, context: ModuleContext): readonly Question[] {
  if (args.deb === undefined) return [];
  const url = addressOf(args);
  const drop = url === undefined ? "never" : context.check ? "always" : "needless";
  const look: Question = { of: "script", sh: debSh, args: [fileOf(args, context), drop] };
  if (url === undefined || context.round > 1) return [look];
  if (context.round === 0) return [];
  const request = requestOf(
    { url, headers: {}, http_agent: "provision", validate_certs: true },
    { method: "GET", timeoutMs: fetchLimitMs, followRedirects: "all" },
  );
  return [{ of: "http", request }];
}

export function readDeb(answer: Answer | undefined): DebKnown {
  if (answer?.of === "http") {
    const { status, body, failure } = answer.value;
    return {
      known: "fetched",
      body,
      failure: failure ?? (status === 200 ? undefined : `it answered ${status}`),
    };
  }
  if (answer?.of !== "script") return { known: "nothing" };
  const [name, version = "", installed = ""] = linesOf(textOf(answer.value.stdout));
  return { known: "package", state: { name, version, installed } };
}

const nothing: Plan = { steps: [], diffs: [] };

export function planDeb(
  args: DebArgs,
  deb: Exclude<DebKnown, { readonly known: "nothing" }>,
  context: ModuleContext,
): Plan {
  return deb.known === "fetched" ? planKeep(args, deb, context) : planInstall(args, deb.state, context);
}

/** What was fetched is laid on the host, to be asked what it is. */
function planKeep(
  args: DebArgs,
  { body, failure }: DebKnown & { readonly known: "fetched" },
  context: ModuleContext,
): Plan {
  if (failure !== undefined) return { ...nothing, fail: `no package from ${args.deb}: ${failure}` };
  const path = fileOf(args, context);
  const step: Step = {
    do: "write",
    why: `fetch ${args.deb}`,
    path,
    from: { bytes: body },
    // Everybody may write into that folder: never through a link, nor into what somebody else put there.
    owner: String(context.facts.base.uid),
    mode: "0644",
    follow: false,
  };
  return { steps: [step], diffs: [], unchanged: true, again: true };
}

const removeAfterSh = `f=$1; shift; ${cleanUpSh('rm -f -- "$f"')}; "$@"`;

function planInstall(args: DebArgs, state: DebState, context: ModuleContext): Plan {
  const file = fileOf(args, context);
  const isFetched = addressOf(args) !== undefined;
  if (state.name === undefined) return { ...nothing, fail: `"${args.deb}" is not a package file` };
  if (state.installed === state.version) return nothing;
  const why = `install ${state.name}`;
  const install = aptStep(why, aptGet(["install"], [file], args), args);
  const before = state.installed === "" ? "" : `${state.name} ${state.installed}\n`;
  return {
    steps: [
      isFetched ? { ...install, argv: ["sh", "-c", removeAfterSh, "sh", file, ...install.argv] } : install,
    ],
    diffs: [{ path: "packages", before, after: `${state.name} ${state.version}\n` }],
  };
}
