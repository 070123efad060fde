/** Questions about packages: one dpkg-query (rpm, apk) for all, and apt-cache policy only for those that want it. */
import { shellWords } from "../../base/shell-quote.ts";
import { decodeHostText } from "./host-text.ts";
import type { PackageAnswer, Question } from "./question.ts";
import type { Sections } from "./sections.ts";

export type PackageQuestion = Extract<Question, { of: "package" }>;

const functions = `
P() { if command -v dpkg-query >/dev/null 2>&1; then m dpkg
dpkg-query -W -f '\${Package}\\t\${Architecture}\\t\${Version}\\t\${Status}\\n' -- "$@" 2>/dev/null
elif command -v rpm >/dev/null 2>&1; then m rpm
rpm -q --qf '%{NAME}\\t%{ARCH}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\tinstall ok installed\\n' -- "$@" 2>/dev/null
elif command -v apk >/dev/null 2>&1; then m apk; for p do v=$(apk info -e -v -- "$p" 2>/dev/null) && printf '%s\\t\\t%s\\tinstall ok installed\\n' "$p" "\${v#"$p"-}"; done
fi; }
PC() { if command -v apt-cache >/dev/null 2>&1; then m policy; apt-cache policy -- "$@" 2>/dev/null
elif command -v dnf >/dev/null 2>&1; then m repoquery; dnf -q repoquery --latest-limit=1 --qf '%{name}\\t%{evr}\\n' -- "$@" 2>/dev/null
elif command -v apk >/dev/null 2>&1; then m policy; apk policy -- "$@" 2>/dev/null; fi; }
`.trim();

const bareName = (name: string): string => name.split("=")[0] ?? name;

export function packageScript(questions: readonly PackageQuestion[]): string {
  const names = [...new Set(questions.map(({ name }) => bareName(name)))];
  const candidates = [...new Set(questions.filter((q) => q.wantCandidate).map(({ name }) => bareName(name)))];
  const ask = `${functions}\nP ${shellWords(names)}`;
  return candidates.length === 0 ? ask : `${ask}\nPC ${shellWords(candidates)}`;
}

interface Installed {
  readonly arch: string;
  readonly version: string;
  readonly installed: boolean;
  readonly held: boolean;
}

export function readPackages(sections: Sections): (question: PackageQuestion) => PackageAnswer {
  const installed = readInstalled(sections);
  const candidates = readCandidates(sections);
  return ({ name }) => {
    const [bare = "", arch] = bareName(name).split(":");
    const rows = (installed.get(bare) ?? []).filter((row) => arch === undefined || fits(row.arch, arch));
    const row = rows.find((each) => each.installed) ?? rows[0];
    const candidate = candidates.get(bareName(name)) ?? candidates.get(bare);
    return {
      installed: row?.installed ?? false,
      ...(row?.installed ? { version: row.version } : {}),
      ...(candidate === undefined ? {} : { candidate }),
      ...(row?.held ? { held: true } : {}),
    };
  };
}

const fits = (has: string, wanted: string): boolean =>
  has === wanted || has === "all" || wanted === "any" || wanted === "native";

function readInstalled(sections: Sections): Map<string, Installed[]> {
  const found = new Map<string, Installed[]>();
  const body = sections.get("dpkg") ?? sections.get("rpm") ?? sections.get("apk");
  if (body === undefined) return found;
  for (const line of decodeHostText(body).split("\n")) {
    const [name, arch, version, status] = line.split("\t");
    if (!name || arch === undefined || version === undefined || status === undefined) continue;
    const [want, , state = ""] = status.split(" ");
    const row = { arch, version, installed: workingStates.has(state), held: want === "hold" };
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return found;
}

/** dpkg's states of a package whose files are there and configured. */
const workingStates: ReadonlySet<string> = new Set(["installed", "triggers-awaited", "triggers-pending"]);

function readCandidates(sections: Sections): Map<string, string> {
  const found = new Map<string, string>();
  let name = "";
  for (const line of decodeHostText(sections.get("policy") ?? Buffer.alloc(0)).split("\n")) {
    if (/^\S/.test(line)) name = line.replace(/:$/, "").replace(/ policy$/, "");
    const apt = /^ {2}Candidate: (.+)$/.exec(line)?.[1];
    const apk = /^ {2}(\S+):$/.exec(line)?.[1];
    if (apt !== undefined && apt !== "(none)") found.set(name, apt);
    if (apk !== undefined && !found.has(name)) found.set(name, apk);
  }
  for (const line of decodeHostText(sections.get("repoquery") ?? Buffer.alloc(0)).split("\n")) {
    const [pkg, version] = line.split("\t");
    if (pkg && version) found.set(pkg, version.replace(/^0:/, ""));
  }
  return found;
}
