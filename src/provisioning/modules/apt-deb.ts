/** apt's deb argument: a package file that lies on the host. */
import type { Question, ScriptAnswer } from "../host/question.ts";
import { linesOf, textOf } from "./answers.ts";
import { type AptOptions, aptGet, aptStep } from "./apt-command.ts";
import { hostPath } from "./host-path.ts";
import type { ModuleContext, Plan } from "./module.ts";

export interface DebState {
  /** Undefined: there is no such package file. */
  readonly name: string | undefined;
  readonly version: string;
  readonly installed: string;
}

const debSh = `dpkg-deb -f "$1" Package 2>/dev/null || exit 0
dpkg-deb -f "$1" Version
dpkg-query -W -f='\${db:Status-Status} \${Version}\\n' "$(dpkg-deb -f "$1" Package)" 2>/dev/null | sed -n 's/^installed //p'`;

export const debQuestion = (path: string): Question => ({ of: "script", sh: debSh, args: [path] });

export function readDeb(answer: ScriptAnswer): DebState {
  const [name, version = "", installed = ""] = linesOf(textOf(answer.stdout));
  return { name, version, installed };
}

export interface DebArgs extends AptOptions {
  readonly deb?: string | undefined;
  readonly state: string;
}

export function planDeb(args: DebArgs, state: DebState, context: ModuleContext): Plan {
  const given = args.deb ?? "";
  if (/^(https?|ftp):/.test(given)) {
    const fail = `deb takes a path of the host, not "${given}": fetch it with get_url first`;
    return { steps: [], diffs: [], fail };
  }
  const path = hostPath(given, context);
  if (state.name === undefined) return { steps: [], diffs: [], fail: `"${path}" is not a package file` };
  if (state.installed === state.version) return { steps: [], diffs: [] };
  const file = path.startsWith("/") ? path : `./${path}`;
  return {
    steps: [aptStep(`install ${state.name}`, aptGet(["install"], [file], args), args)],
    diffs: [
      {
        path: "packages",
        before: state.installed === "" ? "" : `${state.name} ${state.installed}\n`,
        after: `${state.name} ${state.version}\n`,
      },
    ],
  };
}
