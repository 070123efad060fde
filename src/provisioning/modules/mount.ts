import type { z } from "zod";
import type { Answers } from "../host/question.ts";
import type { Step } from "../host/step.ts";
import { answerTo, bytesOf, textOf } from "./answers.ts";
import { choice, defineArgs, flag, path, text } from "./arguments.ts";
import { makeFolder } from "./copy-file.ts";
import { defineModule } from "./define-module.ts";
import { differsInSource, fstabLine, isMountedAt, removeEntry, setEntry } from "./fstab.ts";
import type { Plan } from "./module.ts";
import { backupOf } from "./plan-file.ts";

const states = [
  "mounted",
  "present",
  "unmounted",
  "absent",
  "absent_from_fstab",
  "remounted",
  "ephemeral",
] as const;

const args = defineArgs(
  {
    path: path("Where it is mounted.", { required: true, aliases: ["name"] }),
    state: choice(states)(
      "mounted: in fstab and mounted; present: in fstab; unmounted; absent: neither, and the folder goes; ephemeral: mounted, not in fstab.",
      { required: true },
    ),
    src: text("What is mounted: a device, UUID=…, host:/export."),
    fstype: text("Kind of file system."),
    opts: text("Options, with commas."),
    dump: text("dump's field.", { default: "0" }),
    passno: text("fsck's field.", { default: "0" }),
    fstab: path("The table.", { default: "/etc/fstab" }),
    boot: flag("Mount it when the host starts; false adds noauto.", { default: true }),
    backup: flag("Keep the old table beside the new one.", { default: false }),
  },
  {
    check(args) {
      const needsSource = ["mounted", "present", "ephemeral"].includes(args.state);
      if (needsSource && (args.src === undefined || args.fstype === undefined)) {
        return `src and fstype are required with state "${args.state}"`;
      }
      return undefined;
    },
  },
);
type MountArgs = z.infer<typeof args>;

interface MountState {
  readonly table: string;
  readonly isMounted: boolean;
  readonly folderExists: boolean;
}

const read = (answers: Answers, given: MountArgs): MountState => {
  const { content } = answerTo(answers, 0, "path");
  return {
    table: content === undefined ? "" : textOf(content),
    folderExists: answerTo(answers, 1, "path").stat.exists,
    isMounted: isMountedAt(textOf(answerTo(answers, 2, "script").stdout), pathOf(given)),
  };
};

const pathOf = (given: MountArgs): string => (given.path === "/" ? "/" : given.path.replace(/\/+$/, ""));

const optionsOf = (given: MountArgs): string => {
  const options = given.opts ?? "defaults";
  return given.boot || options.split(",").includes("noauto") ? options : `${options},noauto`;
};

function tableAfter(given: MountArgs, state: MountState): string {
  const path = pathOf(given);
  const key = { path, src: given.src };
  if (given.state === "absent" || given.state === "absent_from_fstab") return removeEntry(state.table, key);
  if (given.state !== "mounted" && given.state !== "present") return state.table;
  const { src = "", fstype = "", dump, passno } = given;
  return setEntry(state.table, key, fstabLine({ src, path, fstype, opts: optionsOf(given), dump, passno }));
}

/** Another source cannot be had by a remount, and some options neither. */
const anewSh = `if [ "$4" = options ] && mount -o "remount,$2" "$5" 2>/dev/null; then exit 0; fi
umount "$5" && mount -t "$1" -o "$2" "$3" "$5"`;

function plan(given: MountArgs, state: MountState): Plan {
  const path = pathOf(given);
  const after = tableAfter(given, state);
  const isWritten = after !== state.table;
  const steps: Step[] = [];
  const run = (why: string, ...argv: readonly string[]) => steps.push({ do: "run", why, argv });
  const mounts = given.state === "mounted" || given.state === "ephemeral";
  const how = [given.fstype ?? "auto", optionsOf(given), given.src ?? ""] as const;
  if (mounts && !state.folderExists) steps.push(makeFolder(path));
  if (mounts && !state.isMounted) run(`mount ${path}`, "mount", "-t", how[0], "-o", how[1], how[2], path);
  if (given.state === "mounted" && state.isMounted && isWritten) {
    const changes = differsInSource(state.table, after, { path }) ? "source" : "options";
    run(`mount ${path} anew`, "sh", "-c", anewSh, "sh", ...how, changes, path);
  }
  // After the mount: what cannot be mounted would keep the host from starting.
  if (isWritten) {
    const from = { bytes: bytesOf(after) };
    steps.push({ do: "write", why: `write ${given.fstab}`, path: given.fstab, from, backup: given.backup });
  }
  if (given.state === "remounted") {
    if (!state.isMounted) return { steps: [], diffs: [], fail: `nothing is mounted at "${path}"` };
    run(
      `mount ${path} anew`,
      "mount",
      "-o",
      given.opts === undefined ? "remount" : `remount,${given.opts}`,
      path,
    );
  }
  const unmounts = given.state === "unmounted" || given.state === "absent";
  if (unmounts && state.isMounted) run(`unmount ${path}`, "umount", path);
  // A folder that is neither in the table nor mounted is not ours.
  const isOurs = isWritten || state.isMounted;
  if (given.state === "absent" && isOurs && state.folderExists)
    run(`remove the folder ${path}`, "rmdir", "--", path);
  return { steps, diffs: isWritten ? [{ path: given.fstab, before: state.table, after }] : [] };
}

export default defineModule({
  kind: "host",
  name: "mount",
  summary: "Mounts a file system, now and at every start.",
  args,
  example:
    "- name: the disk for the data\n  mount: {path: /data, src: LABEL=data, fstype: ext4, opts: noatime, state: mounted}\n",
  reads: "host",
  ask: (given) => [
    { of: "path", path: given.fstab, want: ["stat", "content"], follow: true },
    { of: "path", path: pathOf(given), want: ["stat"], follow: true },
    { of: "script", sh: "cat /proc/self/mounts", args: [] },
  ],
  read,
  plan,
  result: (_state, outcome, given) => ({
    name: pathOf(given),
    fstab: given.fstab,
    opts: optionsOf(given),
    dump: given.dump,
    passno: given.passno,
    boot: given.boot ? "yes" : "no",
    backup_file: backupOf(outcome) ?? "",
    ...(given.src === undefined ? {} : { src: given.src }),
    ...(given.fstype === undefined ? {} : { fstype: given.fstype }),
  }),
});
