import type { z } from "zod";
import type { Step } from "../host/step.ts";
import { answerTo, bytesOf } from "./answers.ts";
import { updateStep } from "./apt-command.ts";
import { askPpa, isPpa, type PpaState, planPpaKey, ppaSource, readPpa, samePpa } from "./apt-ppa.ts";
import {
  isSource,
  normalSource,
  readSources,
  type SourceFile,
  sourcesSh,
  suggestedName,
} from "./apt-sources.ts";
import { choice, defineArgs, flag, mode, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { octalDigits } from "./file-mode.ts";
import { baseName } from "./host-path.ts";
import type { Plan } from "./module.ts";

const args = defineArgs({
  repo: text("The source, as a line of sources.list; on Ubuntu also ppa:OWNER/NAME.", { required: true }),
  state: choice(["present", "absent"])("Shall it be there?", { default: "present" }),
  filename: text("Name of the file in sources.list.d, without .list."),
  mode: mode("Mode of the file."),
  update_cache: flag("Fetch the package lists after a change.", { default: true, aliases: ["update-cache"] }),
  update_cache_retries: whole("How often to try to fetch the lists.", { default: 5 }),
  update_cache_retry_max_delay: whole("Most seconds between two tries.", { default: 12 }),
  codename: text("With ppa: the release, when it is not the host's own."),
  install_python_apt: flag("Of Ansible; no Python is needed.", { default: true }),
  validate_certs: flag("With ppa: check the certificates of who tells of its key.", { default: true }),
});
type RepositoryArgs = z.infer<typeof args>;

const fileOf = (given: RepositoryArgs, source: string): string => {
  const codename = isPpa(given) ? `_${source.split(" ")[2]}` : "";
  const name = given.filename ?? suggestedName(`${given.repo}${codename}`);
  return name.startsWith("/")
    ? name
    : `/etc/apt/sources.list.d/${baseName(name).replace(/\.list$/, "")}.list`;
};

interface RepositoryState {
  readonly files: readonly SourceFile[];
  readonly ppa: PpaState | undefined;
}

/** The line of sources.list, or why there is none. */
function sourceOf(given: RepositoryArgs, { ppa }: RepositoryState): string | { readonly refused: string } {
  if (isPpa(given)) return ppaSource(given, ppa);
  return isSource(given.repo)
    ? given.repo.trim()
    : { refused: `"${given.repo}" is not a source: deb [options] ADDRESS SUITE COMPONENTS` };
}

/** New texts of the files that change. */
function edited(given: RepositoryArgs, source: string, files: readonly SourceFile[]): readonly SourceFile[] {
  const same = (line: string) => (isPpa(given) ? samePpa(normalSource(line)) : normalSource(line));
  const wanted = same(source);
  const holds = (line: string) => same(line) === wanted;
  if (given.state === "absent") {
    return files.flatMap(({ path, text }) => {
      const kept = text.split("\n").filter((line) => !holds(line));
      const after = kept.join("\n");
      return after === text ? [] : [{ path, text: after }];
    });
  }
  if (files.some(({ text }) => text.split("\n").some(holds))) return [];
  const path = fileOf(given, source);
  const old = files.find((file) => file.path === path)?.text ?? "";
  const start = old === "" || old.endsWith("\n") ? old : `${old}\n`;
  return [{ path, text: `${start}${source}\n` }];
}

function plan(given: RepositoryArgs, state: RepositoryState): Plan {
  const { files, ppa } = state;
  const source = sourceOf(given, state);
  if (typeof source !== "string") return { steps: [], diffs: [], fail: source.refused };
  const changed = edited(given, source, files);
  if (changed.length === 0) return { steps: [], diffs: [] };
  const key = given.state === "present" && isPpa(given) && ppa ? planPpaKey(given, ppa) : undefined;
  if (key?.fail !== undefined || key?.again === true) return key;
  const digits = given.mode?.kind === "octal" ? octalDigits(given.mode.bits) : "0644";
  const steps = changed.map(({ path, text }): Step => {
    if (text.trim() === "") return { do: "run", why: `remove ${path}`, argv: ["rm", "-f", "--", path] };
    return { do: "write", why: `write ${path}`, path, from: { bytes: bytesOf(text) }, mode: digits };
  });
  const refresh = given.update_cache ? [updateStep({ ...given, lock_timeout: 60 })] : [];
  const before = (path: string) => files.find((file) => file.path === path)?.text ?? "";
  return {
    steps: [...(key?.steps ?? []), ...steps, ...refresh],
    diffs: changed.map(({ path, text }) => ({ path, before: before(path), after: text })),
  };
}

export default defineModule({
  kind: "host",
  name: "apt_repository",
  summary: "Adds a source of Debian packages, as a line of sources.list, or removes it.",
  args,
  example:
    "- name: backports\n  apt_repository:\n    repo: deb https://repo.example.com/debian bookworm-backports main\n    filename: backports\n",
  reads: "host",
  ask: (given, context) => [
    ...(isPpa(given) ? askPpa(given, context) : []),
    { of: "script", sh: sourcesSh, args: [] },
  ],
  read: (answers, given) => ({
    ppa: isPpa(given) ? readPpa(answers) : undefined,
    files: readSources(answerTo(answers, answers.length - 1, "script").stdout),
  }),
  plan,
  result(state, _outcome, given) {
    const source = sourceOf(given, state);
    const changed = typeof source === "string" ? edited(given, source, state.files) : [];
    const isNew = ({ path }: SourceFile) => !state.files.some((file) => file.path === path);
    return {
      repo: given.repo,
      state: given.state,
      sources_added: given.state === "present" ? changed.filter(isNew).map(({ path }) => path) : [],
      sources_removed: given.state === "absent" ? changed.map(({ path }) => path) : [],
    };
  },
});
