import { defineArgs, list, text, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";

/** Sends the host down after the answer has left: a reboot at once would cut the connection under it. */
const rebootSh = `PATH=$PATH:$1
nohup sh -c 'sleep "$1"; if [ -n "$2" ]; then $2; elif [ -d /run/systemd/system ]; then systemctl reboot --message="$3"; else shutdown -r now "$3" || reboot; fi' sh "$2" "$3" "$4" >/dev/null 2>&1 </dev/null &`;

/** Up again only when the kernel has another boot than the one we sent down, and the test succeeds. */
const newBootSh = `[ "$(sh -c "$1" 2>/dev/null)" != "$2" ] && sh -c "$3"`;

/** The kernel's boot, and when its first process began: a container that starts anew keeps the kernel. */
const bootSh = "cat /proc/sys/kernel/random/boot_id; sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20";

export default defineModule({
  kind: "host",
  name: "reboot",
  summary: "Reboots the host and waits until it is back.",
  args: defineArgs({
    pre_reboot_delay: whole("Seconds to wait before.", { default: 0 }),
    post_reboot_delay: whole("Seconds to wait after the command before looking for the host.", {
      default: 0,
    }),
    reboot_timeout: whole("Seconds until it fails.", { default: 600 }),
    connect_timeout: whole("Seconds that one try to connect may take; kept for Ansible's sake."),
    test_command: text("What must succeed before the host counts as back.", { default: "whoami" }),
    msg: text("What users of the host read.", { default: "Reboot initiated by Provision" }),
    search_paths: list("Folders to look for the command in.", {
      default: ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"],
    }),
    boot_time_command: text("Prints something that is different after each boot.", { default: bootSh }),
    reboot_command: text("The command that reboots. Default: systemctl or shutdown."),
  }),
  example: "- name: into the new kernel\n  reboot: {reboot_timeout: 300}\n",
  reads: "host",
  alwaysActs: true,
  ask: (args) => [{ of: "script", sh: 'sh -c "$1"', args: [args.boot_time_command] }],
  read(answers) {
    const answer = answers[0];
    return answer?.of === "script" ? new TextDecoder().decode(answer.value.stdout).trim() : "";
  },
  plan(args, boot) {
    const delay = String(Math.max(args.pre_reboot_delay, 1));
    const paths = args.search_paths.join(":");
    return {
      steps: [
        {
          do: "run",
          why: "reboot",
          argv: ["sh", "-c", rebootSh, "sh", paths, delay, args.reboot_command ?? "", args.msg],
        },
        {
          do: "reconnect",
          why: "wait until it is back",
          delayMs: (Math.max(args.pre_reboot_delay, 1) + args.post_reboot_delay) * 1000,
          timeoutMs: args.reboot_timeout * 1000,
          test: ["sh", "-c", newBootSh, "sh", args.boot_time_command, boot, args.test_command],
        },
      ],
      diffs: [],
    };
  },
  result: (_boot, outcome) => ({
    rebooted: outcome.steps.length === 2 && !outcome.failed,
    elapsed: Math.round(outcome.steps.reduce((sum, { result }) => sum + result.elapsedMs, 0) / 1000),
  }),
});
