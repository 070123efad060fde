import { defineArgs, list, path, whole } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

export default defineControllerModule({
  kind: "controller",
  name: "setup",
  summary: "Learns the facts of a host.",
  args: defineArgs({
    gather_subset: list("Which facts: all, min, hardware, network, virtual, …; !name leaves one out.", {
      default: ["all"],
    }),
    filter: list("Keep only facts whose names match one of these patterns (*, ?).", { default: [] }),
    gather_timeout: whole("Seconds that gathering may take."),
    fact_path: path("Folder of the host with facts of its own.", { default: "/etc/ansible/facts.d" }),
  }),
  example: "- name: only what the network is like\n  setup: {gather_subset: [network]}\n",
  run: (args) => ({
    result: {},
    effects: [
      {
        effect: "gather-facts",
        subset: args.gather_subset,
        filter: args.filter,
        ...(args.gather_timeout === undefined ? {} : { timeoutMs: args.gather_timeout * 1000 }),
        factPath: args.fact_path,
      },
    ],
  }),
});
