import type { Answers } from "../host/question.ts";
import { answerTo, outputResult, textOf } from "./answers.ts";
import { choice, defineArgs, text } from "./arguments.ts";
import { isJobId, jobStatusSh } from "./async-job.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";
import { runTimes } from "./run-times.ts";

interface JobState {
  readonly status: "unknown" | "runs" | "lost" | "ended";
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly clock?: { readonly start: string; readonly end: string };
}

function read(answers: Answers): JobState {
  const answer = answerTo(answers, 0, "script");
  const none = { code: 0, stdout: "", stderr: "" };
  if (answer.code === 7) return { status: "unknown", ...none };
  let at = 0;
  const line = () => {
    const end = answer.stdout.indexOf(10, at);
    const text = textOf(answer.stdout.subarray(at, end)).trim();
    at = end + 1;
    return text;
  };
  const [word, start, end, sizeBytes] = [line(), line(), line(), Number(line())];
  const split = at + sizeBytes;
  const stdout = textOf(answer.stdout.subarray(at, split));
  const stderr = textOf(answer.stdout.subarray(split));
  if (word === "runs" || word === "lost") return { ...none, status: word, stdout, stderr };
  return { status: "ended", code: Number(word), stdout, stderr, clock: { start, end } };
}

const withoutEmptyEnds = ({ code, stdout, stderr }: JobState) => ({
  code,
  stdout: stdout.replace(/[\r\n]+$/, ""),
  stderr: stderr.replace(/[\r\n]+$/, ""),
});

export default defineModule({
  kind: "host",
  name: "async_status",
  summary: "Looks whether a job that was started with async is done.",
  args: defineArgs(
    {
      jid: text("The job, as its task's result names it in ansible_job_id.", { required: true }),
      mode: choice(["status", "cleanup"])("status looks; cleanup removes what the job left.", {
        default: "status",
      }),
    },
    { check: ({ jid }) => (isJobId(jid) ? undefined : `"${jid}" is not a job`) },
  ),
  example:
    "- name: the long copy is done\n  async_status: {jid: '{{ copy.ansible_job_id }}'}\n  register: job\n  until: job.finished\n  retries: 60\n",
  reads: "world",
  ask: ({ jid }) => [{ of: "script", sh: jobStatusSh, args: [jid] }],
  read,
  plan({ jid, mode }, state): Plan {
    if (state.status === "unknown") {
      return mode === "cleanup"
        ? { steps: [], diffs: [] }
        : { steps: [], diffs: [], fail: `there is no job "${jid}" on the host` };
    }
    if (mode === "cleanup") {
      const argv = ["sh", "-c", 'rm -rf -- "$HOME/.provision/jobs/$1"', "sh", jid];
      return { steps: [{ do: "run", why: `remove job ${jid}`, argv }], diffs: [], unchanged: true };
    }
    if (state.status === "lost") return { steps: [], diffs: [], fail: `job "${jid}" was ended from outside` };
    const isBad = state.status === "ended" && state.code !== 0;
    return {
      steps: [],
      diffs: [],
      ...(isBad ? { fail: `job "${jid}" ended with exit code ${state.code}` } : {}),
    };
  },
  result(state, _outcome, { jid, mode }) {
    if (mode === "cleanup") return { ansible_job_id: jid, erased: jid };
    return {
      ansible_job_id: jid,
      started: 1,
      finished: state.status === "runs" ? 0 : 1,
      ...(state.status === "ended" ? { changed: true } : {}),
      ...(state.status === "ended"
        ? { ...outputResult(withoutEmptyEnds(state)), ...runTimes(state.clock) }
        : { stdout: "", stdout_lines: [], stderr: "", stderr_lines: [] }),
    };
  },
});
