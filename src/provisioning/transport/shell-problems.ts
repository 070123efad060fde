/** Why a shell cannot be had, or no longer. */
import { ProvisionError } from "../../base/errors.ts";
import { limits } from "./limits.ts";
import type { Become } from "./session.ts";

export const lost = (host: string, why: string, cause?: unknown): ProvisionError =>
  new ProvisionError({
    code: "connection-lost",
    action: `go on on "${host}"`,
    state: `the connection ended: ${why}`,
    cause,
  });

interface Words {
  readonly stdout: string;
  readonly stderr: string;
}

export function noShell(host: string, code: number, { stdout, stderr }: Words): ProvisionError {
  const words = stderr.trim() === "" ? stdout : stderr;
  const heard = words.trim().split("\n").slice(-3).join("; ");
  return new ProvisionError({
    code: "unsupported-shell",
    action: `open a shell on "${host}"`,
    state: `it ended with exit code ${code}${heard === "" ? "" : `, saying "${heard}"`}`,
    why: "the login must be allowed to run /bin/sh, and its start-up files (.bashrc) must not end it",
    fix: "-u NAME (ansible_user) for another login; or on the host: chsh -s /bin/sh NAME",
  });
}

export const neverSpoke = (host: string): ProvisionError =>
  new ProvisionError({
    code: "connection-timeout",
    action: `open a shell on "${host}"`,
    state: `it said nothing for ${limits.shellOpenTimeoutMs / 1000} s`,
    why: "a start-up file of the login (.bashrc), or sudo, waits for something",
    fix: "log in by hand and see what it waits for: ssh HOST true",
  });

interface Asked {
  readonly host: string;
  readonly become: Become | null;
}

export const otherShell = ({ host, become }: Asked): ProvisionError =>
  new ProvisionError({
    code: "unsupported-shell",
    action: `become "${become?.user ?? ""}" on "${host}"`,
    state: "another shell reads what was meant for that user's",
    why: "a start-up file of the login (.bashrc) begins a shell of its own, whatever it was asked to run",
    fix: "let it do so on a terminal only: [ -t 0 ] && exec fish",
  });

export const noPrintf = (host: string): ProvisionError =>
  new ProvisionError({
    code: "unsupported-shell",
    action: `use /bin/sh of "${host}"`,
    state: "its printf is not built in",
    why: "secrets must not stand in a program's arguments",
    fix: "install dash, bash or busybox as /bin/sh",
  });

export const tooMuch = (host: string): ProvisionError =>
  new ProvisionError({
    code: "output-too-large",
    action: `read a command's output on "${host}"`,
    state: `it is longer than ${limits.frameOutputBytes / 1024 / 1024} MiB`,
    fix: "send the output to a file on the host",
  });
