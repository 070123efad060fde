import { choice, defineArgs } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

const actions = [
  "flush_handlers",
  "refresh_inventory",
  "noop",
  "clear_facts",
  "clear_host_errors",
  "end_play",
  "end_host",
  "end_batch",
  "end_role",
  "reset_connection",
] as const;

export default defineControllerModule({
  kind: "controller",
  name: "meta",
  summary: "Steers the run itself: flush handlers, end a play, open the connection anew.",
  args: defineArgs({
    action: choice(actions)("What to do.", { required: true, aliases: ["free_form", "_raw_params"] }),
  }),
  freeForm: "action",
  example: "- name: restart what was changed, now\n  meta: flush_handlers\n",
  run: (args) => ({ result: { msg: args.action }, effects: [{ effect: "meta", action: args.action }] }),
});
