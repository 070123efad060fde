/** How to reach a host by ssh: the plan first, then ~/.ssh/config, then ssh's own defaults. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { isAbsolute, join } from "node:path";
import { ProvisionError } from "../../base/errors.ts";
import type { ConnectionPlan } from "./session.ts";

export interface SshSettings {
  /** As the inventory calls it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly identityFiles: readonly string[];
  /** The user named these files: one that is missing is worth a word. */
  readonly namedIdentities: boolean;
  readonly identitiesOnly: boolean;
  readonly agent?: string;
  readonly jumps: readonly string[];
  readonly proxyCommand?: string;
  readonly hostKeyChecking: ConnectionPlan["hostKeyChecking"];
  readonly hostKeyAlias?: string;
  readonly knownHostsFiles: readonly string[];
  readonly connectTimeoutMs: number;
  readonly confirmHostKey?: (question: string) => Promise<boolean>;
  readonly askSecret?: (question: string) => Promise<string>;
  readonly warn?: (message: string) => void;
}

let own: string | undefined;
/** Asks a directory service, perhaps: once. */
const ownName = (): string => (own ??= userInfo().username);

type Options = Readonly<Record<string, string | readonly string[]>>;

export async function sshSettings(plan: ConnectionPlan): Promise<SshSettings> {
  const options = await optionsFor(plan);
  const text = (key: string): string | undefined => {
    const value = options[key];
    return typeof value === "string" ? value : value?.[0];
  };
  const list = (key: string): readonly string[] => {
    const value = options[key];
    return value === undefined ? [] : typeof value === "string" ? value.split(/\s+/) : value;
  };
  const host = (text("hostname") ?? plan.host).replaceAll("%h", plan.host);
  const user = plan.user ?? text("user") ?? ownName();
  const port = plan.port ?? Number(text("port") ?? 22);
  const expand = (path: string): string => expandPath(path, { host, user, port, original: plan.host });
  const isOn = (key: string): boolean => text(key)?.toLowerCase() === "yes";
  const timeout = text("connecttimeout");
  const agent = agentOf(text("identityagent"), expand);
  const files = list("userknownhostsfile");
  const jump = plan.proxyJump ?? text("proxyjump");
  const command = text("proxycommand");
  const proxyCommand = command && command !== "none" ? expand(command) : undefined;
  const alias = text("hostkeyalias");
  return {
    ...{ name: plan.name, host, port, user },
    ...(plan.password === undefined ? {} : { password: plan.password }),
    ...identities(plan, list("identityfile").map(expand)),
    identitiesOnly: isOn("identitiesonly"),
    ...(agent === undefined ? {} : { agent }),
    jumps: jump === undefined || jump === "none" ? [] : jump.split(",").map((each) => each.trim()),
    ...(proxyCommand === undefined || jump !== undefined ? {} : { proxyCommand }),
    hostKeyChecking: checking(plan, text("stricthostkeychecking")),
    ...(alias === undefined ? {} : { hostKeyAlias: alias }),
    knownHostsFiles: knownHostsFiles((plan.knownHostsFiles ?? files).map(expand)),
    connectTimeoutMs: timeout === undefined ? plan.connectTimeoutMs : Number(timeout) * 1000,
    ...(plan.confirmHostKey ? { confirmHostKey: plan.confirmHostKey } : {}),
    ...(plan.askSecret ? { askSecret: plan.askSecret } : {}),
    ...(plan.warn ? { warn: plan.warn } : {}),
  };
}

function knownHostsFiles(named: readonly string[]): string[] {
  const own = named.filter((file) => file !== "none");
  const user =
    own.length > 0 ? own : [join(homedir(), ".ssh/known_hosts"), join(homedir(), ".ssh/known_hosts2")];
  return [...user, "/etc/ssh/ssh_known_hosts"];
}

function identities(plan: ConnectionPlan, configured: readonly string[]) {
  const named = [
    ...(plan.privateKeyFile === undefined ? [] : [expandHome(plan.privateKeyFile)]),
    ...configured,
  ];
  const usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map((name) => join(homedir(), ".ssh", name));
  return {
    identityFiles: named.length > 0 ? named : usual.filter((file) => existsSync(file)),
    namedIdentities: named.length > 0,
  };
}

function agentOf(configured: string | undefined, expand: (path: string) => string): string | undefined {
  if (configured === "none") return undefined;
  if (configured === undefined || configured === "SSH_AUTH_SOCK")
    return process.env.SSH_AUTH_SOCK || undefined;
  return configured.startsWith("$") ? process.env[configured.replace(/^\$\{?|\}$/g, "")] : expand(configured);
}

/** The plan's own wish counts where it is laxer or stricter than "strict", which is everybody's default. */
function checking({ hostKeyChecking }: ConnectionPlan, configured: string | undefined) {
  if (hostKeyChecking !== "strict") return hostKeyChecking;
  if (configured === "accept-new") return "accept-new";
  return configured === "no" || configured === "off" ? "off" : "strict";
}

const expandHome = (path: string): string => path.replace(/^~(?=\/|$)/, homedir());

interface Names {
  readonly host: string;
  readonly user: string;
  readonly port: number;
  readonly original: string;
}

function expandPath(path: string, { host, user, port, original }: Names): string {
  const values: Readonly<Record<string, string>> = {
    ...{ "%": "%", h: host, n: original, p: String(port), r: user },
    ...{ d: homedir(), u: ownName() },
  };
  return expandHome(path).replace(/%(.)/g, (whole, letter: string) => values[letter] ?? whole);
}

/** Files in ssh's own order: the first value found for an option counts. */
async function optionsFor(plan: ConnectionPlan): Promise<Options> {
  const files =
    plan.sshConfigFile === undefined
      ? [join(homedir(), ".ssh/config"), "/etc/ssh/ssh_config"]
      : [expandHome(plan.sshConfigFile)];
  const existing = files.filter((file) => plan.sshConfigFile !== undefined || existsSync(file));
  if (existing.length === 0) return {};
  const parsed = await parseFiles(existing);
  const user = plan.user === undefined ? {} : { User: plan.user };
  return Object.assign(
    {},
    ...parsed.reverse().map((config) => config.compute({ Host: plan.host, ...user }, { ignoreCase: true })),
  ) as Options;
}

type Parsed = import("ssh-config").default;
/** 500 hosts read the same files once. */
const parsedFiles = new Map<string, Promise<Parsed[]>>();

function parseFiles(files: readonly string[]): Promise<Parsed[]> {
  const key = files.join("\n");
  const known = parsedFiles.get(key);
  if (known) return known;
  const parsed = (async () => {
    const { default: SshConfig } = await import("ssh-config");
    return files.map((file) => {
      try {
        return SshConfig.parse(withIncludes(file, 0));
      } catch (cause) {
        throw badConfig(file, cause);
      }
    });
  })();
  parsedFiles.set(key, parsed);
  return parsed;
}

const badConfig = (file: string, cause: unknown): ProvisionError =>
  cause instanceof ProvisionError
    ? cause
    : new ProvisionError({
        code: "bad-ssh-config",
        action: `read "${file}"`,
        state: cause instanceof Error ? cause.message : String(cause),
        why: "ssh's own configuration says how hosts are reached",
        cause,
      });

const includeDepth = 16;

function withIncludes(file: string, depth: number): string {
  if (depth > includeDepth) throw badConfig(file, new Error(`files include each other ${includeDepth} deep`));
  const base = file.startsWith("/etc/") ? "/etc/ssh" : join(homedir(), ".ssh");
  return readFileSync(file, "utf8").replace(/^[ \t]*Include[ \t=]+(.+)$/gim, (_line, names: string) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => expandHome(name.replace(/^"|"$/g, "")))
      .map((name) => (isAbsolute(name) ? name : join(base, name)))
      .flatMap((pattern) => globSync(pattern).sort())
      .map((found) => withIncludes(found, depth + 1))
      .join("\n"),
  );
}
