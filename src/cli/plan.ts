/** `provision plan`: --check --diff under a name of its own. */
import type { CliIo } from "./io.ts";
import { runPlaybooksCommand } from "./run.ts";

export const planCommand = (argv: readonly string[], io: CliIo): Promise<number> =>
  runPlaybooksCommand(argv, io, { plan: true });
