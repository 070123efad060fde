import { answerTo } from "./answers.ts";
import { defineArgs, path } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { hostPath } from "./host-path.ts";

export default defineModule({
  kind: "host",
  name: "slurp",
  summary: "Reads a file of the host, as base64.",
  args: defineArgs({ src: path("The file.", { required: true, aliases: ["path"] }) }),
  example: "- name: read the host's id\n  slurp: {src: /etc/machine-id}\n  register: id\n",
  reads: "host",
  readOnly: true,
  ask: (args, context) => [
    { of: "path", path: hostPath(args.src, context), want: ["stat", "content"], follow: true },
  ],
  read: (answers) => answerTo(answers, 0, "path"),
  plan(args, current, context) {
    const path = hostPath(args.src, context);
    if (current.content !== undefined) return { steps: [], diffs: [] };
    const why = !current.stat.exists
      ? "does not exist"
      : current.contentTooLarge === true
        ? "is too long for a variable: fetch brings it to the controller"
        : `is a ${current.stat.type}, or may not be read`;
    return { steps: [], diffs: [], fail: `"${path}" ${why}` };
  },
  result: (current, _outcome, args, context) =>
    current.content === undefined
      ? {}
      : {
          content: Buffer.from(current.content).toString("base64"),
          encoding: "base64",
          source: hostPath(args.src, context),
        },
});
