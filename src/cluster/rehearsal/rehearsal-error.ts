/** A step of a rehearsal that did not hold. */
import { ProvisionError } from "../../base/errors.ts";

export const rehearsalError = (action: string, state: string): ProvisionError =>
  new ProvisionError({
    code: "rehearsal-failed",
    action,
    state,
    why: "every step of a rehearsal must hold; the run before it shows what the hosts said",
    fix: "run it again with --keep, and look at the hosts",
  });
