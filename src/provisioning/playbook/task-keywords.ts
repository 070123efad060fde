/** The keywords of tasks and blocks, beside those of read-inherited.ts. */
import { inheritedKeywords } from "./read-inherited.ts";

export const taskOnly = [
  "name",
  "loop_control",
  "loop",
  "register",
  "changed_when",
  "failed_when",
  "until",
  "retries",
  "delay",
  "notify",
  "listen",
  "async",
  "poll",
  "args",
  "action",
  "local_action",
  "rolling",
];
export const blockOnly = ["name", "block", "rescue", "always", "notify", "rolling", "listen"];

export const everyTaskKeyword: readonly string[] = [
  ...taskOnly,
  "block",
  "rescue",
  "always",
  "include_tasks",
  "import_tasks",
  "include_role",
  "import_role",
  ...inheritedKeywords,
];
