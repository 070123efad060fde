/** Who asks or acts on a machine: two identities never share an answer (R0). */
import type { Env } from "../host/step.ts";
import type { Become } from "../transport/session.ts";

export interface Identity {
  readonly become: Become | null;
  readonly env: Env;
  readonly key: string;
}

export const identityOf = (become: Become | null, env: Env): Identity => ({
  become,
  env,
  key: JSON.stringify([become?.user ?? null, become?.method, become?.flags, become?.exe, env]),
});

export const loginIdentity = identityOf(null, {});
