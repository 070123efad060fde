/** How another user's shell is started, and what sudo's and su's refusals mean. */
import { randomBytes } from "node:crypto";
import { ProvisionError } from "../../base/errors.ts";
import { shellQuote, shellWords } from "../../base/shell-quote.ts";
import type { Become } from "./session.ts";

export interface Launch {
  readonly command: string;
  /** The password goes out only after exactly this was read on stderr, and only once. */
  readonly prompt?: { readonly text: string | RegExp; readonly password: string };
  /** Printed on stdout by the shell that was asked for; absent: nothing is asked, the first message may go at once. */
  readonly ready?: string;
  /** The first argument of the shell that was asked for. Another, which a start-up file began, reads input as well. */
  readonly word?: string;
}

const shell = "/bin/sh";
const word = "provision";

export function launchOf(become: Become | null): Launch {
  if (become === null) return { command: `exec ${shell}` };
  return become.method === "sudo" ? sudo(become) : su(become);
}

function sudo({ user, password, flags, exe = "sudo" }: Become): Launch {
  const given = flags ?? ["-H"];
  if (password === undefined)
    return {
      command: `exec ${shellWords([exe, ...given, "-n", "-u", user, "--", shell, "-s", word])}`,
      word,
    };
  const text = `[provision ${randomBytes(12).toString("hex")}] password:`;
  const ready = randomBytes(16).toString("hex");
  const inner = `printf '%s\\n' ${ready}; exec ${shell}`;
  const words = [exe, ...given, "-S", "-p", text, "-u", user, "--", shell, "-c", inner];
  return { command: `exec ${shellWords(words)}`, prompt: { text, password }, ready };
}

/** su's prompt is the system's own and in its language, but always the last thing on a line of its own. */
function su({ user, password, flags = [], exe = "su" }: Become): Launch {
  const ready = randomBytes(16).toString("hex");
  const inner = `printf '%s\\n' ${ready}; exec ${shell}`;
  const command = `exec ${shellWords([exe, ...flags, user, "-s", shell, "-c", inner])}`;
  return password === undefined
    ? { command, ready }
    : { command, ready, prompt: { text: /[:：]\s*$/, password } };
}

export interface Refusal {
  readonly become: Become;
  readonly host: string;
  readonly stderr: string;
  readonly passwordSent: boolean;
  readonly askedAgain: boolean;
}

interface Reason {
  readonly when: RegExp;
  readonly state: (refusal: Refusal) => string;
  readonly fix?: string;
}

const reasons: readonly Reason[] = [
  {
    when: /password is required|no password was provided|no askpass|authentication failure|Authentication failure/i,
    state: ({ become, passwordSent }) =>
      passwordSent ? `${become.method} refused the password` : `${become.method} wants a password`,
    fix: "run again with -K (--ask-become-pass), or set ansible_become_password",
  },
  {
    when: /not in the sudoers file|may not run sudo|is not allowed to (execute|run)/,
    state: () => "the login user may not use sudo",
    fix: "add the login user to the sudo group on that host",
  },
  {
    when: /must have a tty/,
    state: () => "sudo there works on terminals only (requiretty)",
    fix: 'add "Defaults !requiretty" to the sudoers file of that host',
  },
  {
    when: /unknown user|user .* does not exist|No passwd entry/,
    state: ({ become }) => `the host has no user "${become.user}"`,
    fix: "a task before it makes one: user: {name: …}",
  },
  {
    when: /not found|No such file/,
    state: ({ become }) => `the host has no ${become.exe ?? become.method}`,
  },
];

export function becomeFailed(refusal: Refusal): ProvisionError {
  const { become, host, stderr, askedAgain } = refusal;
  const reason = reasons.find(({ when }) => when.test(stderr));
  const heard = stderr.trim().split("\n").slice(-3).join("; ");
  const wrong = askedAgain ? `${become.method} refused the password` : undefined;
  const fix = askedAgain ? reasons[0]?.fix : reason?.fix;
  return new ProvisionError({
    code: "become-failed",
    action: `become "${become.user}" on "${host}"`,
    state: wrong ?? reason?.state(refusal) ?? `${become.method} ended: ${shellQuote(heard)}`,
    why: reason || askedAgain ? undefined : "a shell of that user was expected",
    fix,
  });
}
