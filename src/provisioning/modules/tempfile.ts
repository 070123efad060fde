import { permissionBits } from "../host/path-stat.ts";
import { outcomeOutput } from "./answers.ts";
import { choice, defineArgs, path, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import { shownMode } from "./file-mode.ts";
import { hostPath } from "./host-path.ts";

/** mktemp's suffixes are not POSIX: the name is made first, then moved; -n and mv -n keep what is there. */
const makeSh = `cd -- "\${1:-\${TMPDIR:-/tmp}}" || exit 1
t=$(mktemp $4 "$2XXXXXXXX") || exit 1
if [ -n "$3" ]; then [ ! -e "$t$3" ] && mv -- "$t" "$t$3" || exit 1; fi
printf '%s/%s\\n' "$(pwd)" "$t$3"; ls -ld -- "$t$3"; ls -ldn -- "$t$3"`;

export default defineModule({
  kind: "host",
  name: "tempfile",
  summary: "Makes an empty file or folder with a new name.",
  args: defineArgs({
    state: choice(["file", "directory"])("Which of them.", { default: "file" }),
    path: path("Folder to make it in. Default: the host's own for such files."),
    prefix: text("How the name starts.", { default: "ansible." }),
    suffix: text("How the name ends.", { default: "" }),
  }),
  example: "- name: a place to build in\n  tempfile: {state: directory, suffix: .build}\n  register: build\n",
  reads: "host",
  alwaysActs: true,
  ask: () => [],
  read: () => ({}),
  plan(args, _state, context) {
    const folder = args.path === undefined ? "" : hostPath(args.path, context);
    const flags = args.state === "directory" ? "-d" : "--";
    return {
      steps: [
        {
          do: "run",
          why: `make a temporary ${args.state}`,
          argv: ["sh", "-c", makeSh, "sh", folder, args.prefix, args.suffix, flags],
        },
      ],
      diffs: [],
    };
  },
  result(_state, outcome, args) {
    const lines = outcomeOutput(outcome).stdout.split("\n");
    const [named = "", numbered = ""] = lines.slice(-3);
    const [letters = "", , owner = "", group = ""] = named.split(/\s+/);
    const [, , uid, gid, size] = numbered.split(/\s+/).map(Number);
    return {
      path: lines.slice(0, -3).join("\n"),
      state: args.state,
      ...(size === undefined
        ? {}
        : { owner, group, mode: shownMode(permissionBits(letters)), uid: uid ?? 0, gid: gid ?? 0, size }),
    };
  },
});
