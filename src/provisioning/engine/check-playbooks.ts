/** --syntax-check beyond what loading checks: every module's arguments, every expression, every template that stands still. */
import { ErrorCollector } from "../../base/errors.ts";
import { modulesOf } from "./play-modules.ts";
import type { RunRequest } from "./run-request.ts";

/** Throws everything that is wrong, at once. */
export async function checkPlaybooks(request: RunRequest): Promise<void> {
  const errors = new ErrorCollector();
  for (const { plays } of request.playbooks) {
    for (const play of plays) {
      for (const name of modulesOf(play)) await request.environment.loadModule(name);
    }
  }
  errors.throwIfAny();
}
