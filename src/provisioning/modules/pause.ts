import { decimal, defineArgs, flag, text } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

export default defineControllerModule({
  kind: "controller",
  name: "pause",
  summary: "Waits some time, or until somebody presses a key.",
  args: defineArgs(
    {
      seconds: decimal("How long to wait."),
      minutes: decimal("How long to wait."),
      prompt: text("What to ask.", { default: "" }),
      echo: flag("Show what is typed.", { default: true }),
    },
    { exclusive: [["seconds", "minutes"]] },
  ),
  example: "- name: let the disks settle\n  pause: {seconds: 5}\n",
  run(args) {
    const seconds = args.seconds ?? (args.minutes === undefined ? null : args.minutes * 60);
    const { prompt, echo } = args;
    const unit = args.seconds === undefined ? "minutes" : "seconds";
    return {
      result: { echo },
      effects: [{ effect: "pause", seconds, unit, prompt, echo }],
    };
  },
});
