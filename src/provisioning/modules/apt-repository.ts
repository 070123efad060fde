import type { z } from "zod";
import type { Step } from "../host/step.ts";
import { answerTo, bytesOf } from "./answers.ts";
import { updateStep } from "./apt-command.ts";
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
  repo: text("The source, as a line of sources.list.", { required: true }),
  state: choice(["present", "absent"])("Shall it be there?", { default: "present" }),
  filename: text("Name of the file in sources.list.d, without .list."),
  mode: mode("Mode of the file."),
  update_cache: flag("Fetch the package lists after a change.", { default: true, aliases: ["update-cache"] }),
  update_cache_retries: whole("How often to try to fetch the lists.", { default: 5 }),
  update_cache_retry_max_delay: whole("Most seconds between two tries.", { default: 12 }),
  codename: text("Of Ansible, for ppa: sources."),
  install_python_apt: flag("Of Ansible; no Python is needed.", { default: true }),
  validate_certs: flag("Of Ansible, for the keys of ppa: sources.", { default: true }),
});
type RepositoryArgs = z.infer<typeof args>;

const fileOf = (given: RepositoryArgs): string => {
  const name = given.filename ?? suggestedName(given.repo);
  return name.startsWith("/")
    ? name
    : `/etc/apt/sources.list.d/${baseName(name).replace(/\.list$/, "")}.list`;
};

function wrongSource(given: RepositoryArgs): string | undefined {
  if (given.repo.startsWith("ppa:")) {
    return `"${given.repo}" needs a key from Launchpad: fetch it with get_url, and write the source with deb822_repository and signed_by`;
  }
  return isSource(given.repo)
    ? undefined
    : `"${given.repo}" is not a source: deb [options] ADDRESS SUITE COMPONENTS`;
}

/** New texts of the files that change. */
function edited(given: RepositoryArgs, files: readonly SourceFile[]): readonly SourceFile[] {
  const wanted = normalSource(given.repo);
  const holds = (line: string) => normalSource(line) === wanted;
  if (given.state === "absent") {
    return files.flatMap(({ path, text }) => {
      const kept = text.split("\n").filter((line) => !holds(line));
      const after = kept.join("\n");
      return after === text ? [] : [{ path, text: after }];
    });
  }
  if (files.some(({ text }) => text.split("\n").some(holds))) return [];
  const path = fileOf(given);
  const old = files.find((file) => file.path === path)?.text ?? "";
  const start = old === "" || old.endsWith("\n") ? old : `${old}\n`;
  return [{ path, text: `${start}${given.repo.trim()}\n` }];
}

function plan(given: RepositoryArgs, files: readonly SourceFile[]): Plan {
  const wrong = wrongSource(given);
  if (wrong !== undefined) return { steps: [], diffs: [], fail: wrong };
  const changed = edited(given, files);
  if (changed.length === 0) return { steps: [], diffs: [] };
  const digits = given.mode?.kind === "octal" ? octalDigits(given.mode.bits) : "0644";
  const steps = changed.map(({ path, text }): Step => {
    const isOurs = path !== "/etc/apt/sources.list" && text.trim() === "";
    if (isOurs) return { do: "run", why: `remove ${path}`, argv: ["rm", "-f", "--", path] };
    return { do: "write", why: `write ${path}`, path, from: { bytes: bytesOf(text) }, mode: digits };
  });
  const refresh = given.update_cache ? [updateStep({ ...given, lock_timeout: 60 })] : [];
  const before = (path: string) => files.find((file) => file.path === path)?.text ?? "";
  return {
    steps: [...steps, ...refresh],
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
  ask: () => [{ of: "script", sh: sourcesSh, args: [] }],
  read: (answers) => readSources(answerTo(answers, 0, "script").stdout),
  plan,
  result: (files, _outcome, given) => ({
    repo: given.repo,
    state: given.state,
    sources_added:
      given.state === "present"
        ? edited(given, files)
            .map(({ path }) => path)
            .filter((path) => !files.some((file) => file.path === path))
        : [],
    sources_removed: given.state === "absent" ? edited(given, files).map(({ path }) => path) : [],
  }),
});
