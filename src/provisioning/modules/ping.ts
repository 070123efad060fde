import { answerTo } from "./answers.ts";
import { defineArgs, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";

export default defineModule({
  kind: "host",
  name: "ping",
  summary: "Asks the host for a sign of life.",
  args: defineArgs({ data: text('What to answer; "crash" fails.', { default: "pong" }) }),
  example: "- name: is it there\n  ping:\n",
  reads: "world",
  readOnly: true,
  ask: () => [{ of: "script", sh: "exit 0", args: [] }],
  read: (answers) => answerTo(answers, 0, "script"),
  plan: (args) => ({ steps: [], diffs: [], ...(args.data === "crash" ? { fail: "boom" } : {}) }),
  result: (_current, _outcome, args) => ({ ping: args.data }),
});
