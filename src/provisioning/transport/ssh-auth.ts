/** What a login is tried with, in order, and how that is told when nothing fits. */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import type { AnyAuthMethod, ParsedKey } from "ssh2";
import { ProvisionError } from "../../base/errors.ts";
import type { Ssh2 } from "./load-ssh2.ts";
import type { SshSettings } from "./ssh-settings.ts";

export interface Attempt {
  /** As shown to the user: `key "~/.ssh/id_rsa"`. */
  readonly label: string;
  readonly method: AnyAuthMethod;
}

export interface LoginPlan {
  readonly attempts: readonly Attempt[];
  /** Why some keys were left out. */
  readonly leftOut: readonly string[];
}

const shown = (path: string): string => path.replace(homedir(), "~");

export async function planLogin(ssh2: Ssh2, settings: SshSettings): Promise<LoginPlan> {
  const { user: username, password } = settings;
  const leftOut: string[] = [];
  const keys: { file: string; key: ParsedKey }[] = [];
  for (const file of settings.identityFiles) {
    const key = await loadKey(ssh2, file, settings);
    if (typeof key === "string") leftOut.push(key);
    else keys.push({ file, key });
  }
  const attempts: Attempt[] = keys.map(({ file, key }) => ({
    label: `key "${shown(file)}"`,
    method: { type: "publickey", username, key },
  }));
  if (settings.agent !== undefined)
    attempts.push(
      agentAttempt(
        ssh2,
        settings,
        settings.agent,
        keys.map((k) => k.key),
      ),
    );
  if (password !== undefined) {
    attempts.push({ label: "password", method: { type: "password", username, password } });
    attempts.push({
      label: "keyboard-interactive",
      method: {
        type: "keyboard-interactive",
        username,
        prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
      },
    });
  }
  return { attempts, leftOut };
}

function agentAttempt(
  ssh2: Ssh2,
  settings: SshSettings,
  socket: string,
  keys: readonly ParsedKey[],
): Attempt {
  const agent = new ssh2.OpenSSHAgent(socket);
  if (settings.identitiesOnly) {
    const wanted = new Set(keys.map((key) => key.getPublicSSH().toString("base64")));
    const all = agent.getIdentities.bind(agent);
    agent.getIdentities = (answer) =>
      all((error, identities) =>
        answer(
          error,
          identities?.filter((each) => wanted.has(publicPart(ssh2, each))),
        ),
      );
  }
  return { label: "agent", method: { type: "agent", username: settings.user, agent } };
}

function publicPart(ssh2: Ssh2, identity: unknown): string {
  const key = ssh2.parseKey(identity as Buffer);
  return key instanceof Error ? "" : key.getPublicSSH().toString("base64");
}

/** A key is read, and its passphrase asked for, once for all hosts. */
const loaded = new Map<string, Promise<ParsedKey | string>>();

function loadKey(ssh2: Ssh2, file: string, settings: SshSettings): Promise<ParsedKey | string> {
  const known = loaded.get(file);
  if (known) return known;
  const key = readKey(ssh2, file, settings);
  loaded.set(file, key);
  return key;
}

async function readKey(ssh2: Ssh2, file: string, { askSecret, namedIdentities }: SshSettings) {
  let text: Buffer;
  try {
    text = await readFile(file);
  } catch (error) {
    const why =
      (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : (error as Error).message;
    return namedIdentities ? `key "${shown(file)}" ${why}` : `key "${shown(file)}"`;
  }
  const first = firstKey(ssh2.parseKey(text));
  if (!(first instanceof Error)) return first;
  if (!/passphrase|encrypted/i.test(first.message))
    return `key "${shown(file)}" cannot be read: ${first.message}`;
  if (!askSecret) return `key "${shown(file)}" needs a passphrase`;
  const opened = firstKey(ssh2.parseKey(text, await askSecret(`Passphrase for "${shown(file)}"`)));
  return opened instanceof Error ? `the passphrase for key "${shown(file)}" is wrong` : opened;
}

const firstKey = (parsed: ParsedKey | ParsedKey[] | Error): ParsedKey | Error =>
  Array.isArray(parsed) ? (parsed[0] ?? new Error("it holds no key")) : parsed;

/** For a host that does not show its known key. */
export function withoutPassword({ attempts, leftOut }: LoginPlan): LoginPlan {
  const kept = attempts.filter(({ method }) => !isByPassword(method.type));
  if (kept.length === attempts.length) return { attempts, leftOut };
  return { attempts: kept, leftOut: [...leftOut, "the password, for the host's key is not the known one"] };
}

const isByPassword = (type: string): boolean => type === "password" || type === "keyboard-interactive";

export function loginFailed(
  settings: SshSettings,
  tried: readonly string[],
  plan: LoginPlan,
): ProvisionError {
  const { user, name } = settings;
  const notTried = plan.leftOut.length === 0 ? "" : `; not tried: ${plan.leftOut.join(", ")}`;
  const state =
    tried.length === 0
      ? `there is no key, agent or password to try${notTried}`
      : `the host refused ${tried.join(", ")}${notTried}`;
  return new ProvisionError({
    code: "auth-failed",
    action: `log in to "${name}" as "${user}"`,
    state,
    why: "one of the user's keys, the agent's keys, or a password must be accepted",
    fix: "name the user with -u, the key with --private-key, or give the password with -k (--ask-pass)",
  });
}
