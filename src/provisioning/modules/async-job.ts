/**
 * Jobs that go on when their task is done (async with poll: 0): a folder each below the user's home, in which the
 * job leaves its output and, last of all, its exit code. The engine starts them; async_status looks at them.
 */
import type { Step } from "../host/step.ts";

/** $1 folder, $2 seconds, $3 the script. The folder is only the user's: output may hold secrets. */
const startSh = `umask 077; d=$HOME/.provision/jobs/$1; mkdir -p -- "$d" || exit 1
(
  trap '' HUP; exec </dev/null >"$d/stdout" 2>"$d/stderr"
  now() { date '+%Y-%m-%d %H:%M:%S.%N' >"$d/$1"; }; now start
  sh -c "$3" & p=$!; echo "$p" >"$d/pid"
  ( sleep "$2"; kill "$p" && echo "ended after $2 s, which is its time limit" >&2 ) 2>/dev/null & w=$!
  wait "$p"; c=$?; now end; kill "$w" 2>/dev/null; echo "$c" >"$d/rc.new" && mv -f -- "$d/rc.new" "$d/rc"
) >/dev/null 2>&1 </dev/null &
exit 0`;

export interface AsyncJob {
  readonly jobId: string;
  readonly script: string;
  readonly timeoutSeconds: number;
}

export const isJobId = (jobId: string): boolean => /^[\w.-]{1,100}$/.test(jobId) && !jobId.startsWith(".");

/** Starts a job and returns at once. */
export const startJob = ({ jobId, script, timeoutSeconds }: AsyncJob): Step => ({
  do: "run",
  why: `start job ${jobId}`,
  argv: ["sh", "-c", startSh, "sh", jobId, String(timeoutSeconds), script],
});

/**
 * Code 7: there is no such job. Prints the exit code (or "runs", or "lost"), when it began and ended, and the size of
 * stdout, a line each, then both outputs.
 */
export const jobStatusSh = `d=$HOME/.provision/jobs/$1; [ -d "$d" ] || exit 7
if [ -f "$d/rc" ]; then cat -- "$d/rc"
elif [ -f "$d/pid" ] && kill -0 "$(cat -- "$d/pid")" 2>/dev/null; then echo runs
else sleep 1; if [ -f "$d/rc" ]; then cat -- "$d/rc"; else echo lost; fi; fi
for t in start end; do cat -- "$d/$t" 2>/dev/null || echo; done
wc -c <"$d/stdout"; cat -- "$d/stdout" "$d/stderr"`;
