import { defineArgs, text } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

export default defineControllerModule({
  kind: "controller",
  name: "fail",
  summary: "Fails with a message.",
  args: defineArgs({ msg: text("Why.", { default: "Failed as requested from task" }) }),
  example:
    "- name: not on 32 bits\n  fail: {msg: This host is too old.}\n  when: ansible_facts.architecture == 'i686'\n",
  run: (args) => ({ result: { msg: args.msg }, failed: true }),
});
