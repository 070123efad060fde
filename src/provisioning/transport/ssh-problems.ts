/** What keeps a connection from being made, as users are told of it. */
import { ProvisionError } from "../../base/errors.ts";
import { limits } from "./limits.ts";
import type { SshSettings } from "./ssh-settings.ts";

/** The server hung up before it answered: worth another try. */
export class DroppedError extends Error {}

const problem = (
  settings: SshSettings,
  fields: Pick<ConstructorParameters<typeof ProvisionError>[0], "code" | "state" | "fix" | "why" | "cause">,
): ProvisionError =>
  new ProvisionError({
    action: `connect to "${settings.name}" (${settings.host}:${settings.port})`,
    ...fields,
  });

export const timedOut = (settings: SshSettings): ProvisionError =>
  problem(settings, {
    code: "connection-timeout",
    state: `there was no answer within ${settings.connectTimeoutMs / 1000} s`,
    why: "the host must be up, and its port open in every firewall on the way",
    fix: `ssh -p ${settings.port} ${settings.host} tries the same; -T SECONDS (--timeout) waits longer`,
  });

export const unresolved = (settings: SshSettings, cause: unknown): ProvisionError =>
  problem(settings, {
    code: "connection-unresolved",
    state: `no name server knows "${settings.host}"`,
    fix: `set ansible_host to its address`,
    cause,
  });

export function dialFailed(settings: SshSettings, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED")
    return problem(settings, {
      code: "connection-refused",
      state: "nothing listens there",
      why: "sshd must run there",
      fix: "ansible_port=PORT, where it listens; or start it there: systemctl start ssh",
      cause,
    });
  if (code === "ECONNRESET") return new DroppedError(message);
  return problem(settings, { code: "connection-failed", state: message, cause });
}

export const dropped = (settings: SshSettings, cause: Error): ProvisionError =>
  problem(settings, {
    code: "connection-failed",
    state: `the server hung up ${limits.connectAttempts} times before it answered (${cause.message})`,
    why: "an ssh server answers there, and lets in more than a few connections at once (MaxStartups)",
    fix: "-f N (--forks) for fewer at once",
    cause,
  });

export const broken = (settings: SshSettings, cause: Error): ProvisionError =>
  problem(settings, { code: "connection-failed", state: cause.message, cause });

export const badJump = (name: string, jump: string): ProvisionError =>
  new ProvisionError({
    code: "bad-ssh-config",
    action: `connect to "${name}"`,
    state: `"${jump}" is no jump host`,
    why: "a jump host is written [user@]host[:port]",
  });

export const tooManyJumps = (name: string): ProvisionError =>
  new ProvisionError({
    code: "bad-ssh-config",
    action: `connect to "${name}"`,
    state: `there are more than ${limits.proxyJumps} jump hosts`,
  });
