/** R2: what is below a network mount is the world's, not the host's. Mounts are read with the builtins of sh alone. */
import type { Step } from "../host/step.ts";

/** Prints `mount <folder>` for each. */
export const sharedMountsScript = `while read -r d m t r; do case $t in nfs*|cifs|smb*|ceph|glusterfs|fuse.*|9p|lustre|afs|gfs2|ocfs2|virtiofs|beegfs)
printf 'mount %b\\n' "$m";; esac; done </proc/mounts 2>/dev/null; exit 0`;

export const readSharedMounts = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) => line.startsWith("mount ")).map((line) => line.slice("mount ".length));

const programs = /\bu?mount\b|\bmount\.|\b(sshfs|automount|autofs|zfs|glusterfs|ceph-fuse)\b/;

/** By their words: what a program mounts by itself is seen with the next run. */
export const mayMount = (steps: readonly Step[]): boolean =>
  steps.some((step) => step.do === "run" && step.argv.some((word) => programs.test(word)));
