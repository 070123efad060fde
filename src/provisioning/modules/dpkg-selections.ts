import { answerTo, bytesOf, textOf } from "./answers.ts";
import { choice, defineArgs, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

export default defineModule({
  kind: "host",
  name: "dpkg_selections",
  summary: "Says what dpkg shall do with a package: install, hold, deinstall, purge.",
  args: defineArgs({
    name: text("The package.", { required: true }),
    selection: choice(["install", "hold", "deinstall", "purge"])("What dpkg shall do.", { required: true }),
  }),
  example: "- name: Docker stays as it is\n  dpkg_selections: {name: docker.io, selection: hold}\n",
  reads: "host",
  ask: ({ name }) => [{ of: "script", sh: 'dpkg --get-selections -- "$1" 2>/dev/null', args: [name] }],
  read: (answers) =>
    textOf(answerTo(answers, 0, "script").stdout)
      .trim()
      .split(/\s+/)
      .at(-1) ?? "",
  plan({ name, selection }, current): Plan {
    if (current === "") return { steps: [], diffs: [], fail: `dpkg does not know the package "${name}"` };
    if (current === selection) return { steps: [], diffs: [] };
    return {
      steps: [
        {
          do: "run",
          why: `select ${selection} for ${name}`,
          argv: ["dpkg", "--set-selections"],
          stdin: bytesOf(`${name} ${selection}\n`),
        },
      ],
      diffs: [{ path: `selection of ${name}`, before: `${current}\n`, after: `${selection}\n` }],
    };
  },
  result: (current, _outcome, { selection }) => ({ before: current, after: selection }),
});
