import { defineArgs, whole } from "./arguments.ts";
import { defineModule } from "./define-module.ts";

export default defineModule({
  kind: "host",
  name: "wait_for_connection",
  summary: "Waits until the host can be reached and used.",
  args: defineArgs({
    delay: whole("Seconds before the first try.", { default: 0 }),
    timeout: whole("Seconds until it fails.", { default: 600 }),
    sleep: whole("Seconds between tries. The connection is paced by itself; kept for Ansible's sake.", {
      default: 1,
    }),
    connect_timeout: whole("Seconds that one try may take; kept for Ansible's sake.", { default: 5 }),
  }),
  example: "- name: the new machine is up\n  wait_for_connection: {timeout: 120}\n",
  reads: "world",
  readOnly: true,
  ask: () => [],
  read: () => ({}),
  plan: (args) => ({
    steps: [
      {
        do: "reconnect",
        why: "wait for the connection",
        delayMs: args.delay * 1000,
        timeoutMs: args.timeout * 1000,
        test: ["true"],
      },
    ],
    diffs: [],
    unchanged: true,
  }),
  result: (_current, outcome) => ({
    elapsed: Math.round(outcome.steps.reduce((sum, { result }) => sum + result.elapsedMs, 0) / 1000),
  }),
});
