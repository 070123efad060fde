/** ansible_* variables, keywords and options → how to reach a host. */

import { ProvisionError } from "../../base/errors.ts";
import type { JsonValue } from "../../base/json.ts";
import { nearest } from "../../base/nearest.ts";
import type { ConnectionPlan } from "../transport/session.ts";
import { isTrue } from "./become.ts";
import { limits } from "./limits.ts";
import type { ConnectionDefaults } from "./run-request.ts";

export interface ConnectionRequest {
  readonly name: string;
  /** localhost that no inventory lists: reached without a connection. */
  readonly isImplicit: boolean;
  readonly variable: (name: string) => JsonValue | undefined;
  readonly keywords: {
    readonly user?: JsonValue;
    readonly port?: JsonValue;
    readonly connection?: JsonValue;
  };
  readonly defaults: ConnectionDefaults;
}

const connections: Readonly<Record<string, ConnectionPlan["connection"]>> = {
  ssh: "ssh",
  paramiko: "ssh",
  paramiko_ssh: "ssh",
  smart: "ssh",
  local: "local",
  docker: "docker",
  "ansible.builtin.ssh": "ssh",
  "ansible.builtin.local": "local",
  "community.docker.docker": "docker",
};

export function connectionPlan(request: ConnectionRequest): ConnectionPlan {
  const { name, variable, keywords, defaults } = request;
  const text = (...names: readonly string[]): string | undefined => {
    const value = names.map(variable).find((each) => each !== undefined && each !== null && each !== "");
    return value === undefined ? undefined : String(value);
  };
  const sshArgs = readSshArgs(
    [
      defaults.sshArgs ?? "",
      ...["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"].map(
        (each) => text(each) ?? "",
      ),
    ].join(" "),
  );
  const port =
    text("ansible_port", "ansible_ssh_port") ??
    orUndefined(keywords.port) ??
    sshArgs.port ??
    defaults.port?.toString();
  const user =
    text("ansible_user", "ansible_ssh_user") ?? orUndefined(keywords.user) ?? defaults.user ?? sshArgs.user;
  const password = text("ansible_password", "ansible_ssh_pass", "ansible_ssh_password") ?? defaults.password;
  const privateKeyFile =
    text("ansible_ssh_private_key_file", "ansible_private_key_file") ??
    defaults.privateKeyFile ??
    sshArgs.identity;
  const seconds = text("ansible_timeout", "ansible_ssh_timeout");
  const knownHosts =
    sshArgs.knownHosts === undefined ? {} : { knownHostsFiles: sshArgs.knownHosts.split(/\s+/) };
  const configFile = sshArgs.configFile ?? defaults.sshConfigFile;
  return {
    name,
    connection: connectionKind(request, text("ansible_connection")),
    host: text("ansible_host", "ansible_ssh_host") ?? name,
    ...(port === undefined ? {} : { port: portNumber(name, port) }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(privateKeyFile === undefined ? {} : { privateKeyFile }),
    connectTimeoutMs:
      seconds === undefined ? (defaults.timeoutMs ?? limits.connectTimeoutMs) : timeoutMs(name, seconds),
    hostKeyChecking: hostKeyChecking(request, sshArgs.hostKeyChecking, text),
    ...(configFile === undefined ? {} : { sshConfigFile: configFile }),
    ...knownHosts,
    ...(sshArgs.proxyJump === undefined ? {} : { proxyJump: sshArgs.proxyJump }),
    ...(defaults.confirmHostKey === undefined ? {} : { confirmHostKey: defaults.confirmHostKey }),
  };
}

const orUndefined = (value: JsonValue | undefined): string | undefined =>
  value === undefined || value === null || value === "" ? undefined : String(value);

function connectionKind(
  request: ConnectionRequest,
  variable: string | undefined,
): ConnectionPlan["connection"] {
  const given = variable ?? orUndefined(request.keywords.connection);
  if (given === undefined) return request.isImplicit ? "local" : (request.defaults.connection ?? "ssh");
  const known = Object.hasOwn(connections, given) ? connections[given] : undefined;
  if (known !== undefined) return known;
  throw new ProvisionError({
    code: "bad-argument",
    action: `reach "${request.name}"`,
    state: `its connection is "${given}"`,
    why: "connection is ssh, local or docker",
    fix: `ansible_connection=${nearest(given, ["ssh", "local", "docker"]) ?? "ssh"}`,
  });
}

function portNumber(name: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new ProvisionError({
    code: "bad-argument",
    action: `reach "${name}"`,
    state: `its port is "${text}"`,
    why: "a port is a whole number from 1 to 65535",
  });
}

function timeoutMs(name: string, seconds: string): number {
  const ms = Number(seconds) * 1000;
  if (ms > 0 && ms <= limits.longestTimeoutMs) return ms;
  throw new ProvisionError({
    code: "bad-argument",
    action: `reach "${name}"`,
    state: `its ansible_timeout is "${seconds}"`,
    why: `a timeout is a number of seconds, from above 0 to ${limits.longestTimeoutMs / 1000}`,
  });
}

function hostKeyChecking(
  { defaults, variable }: ConnectionRequest,
  fromArgs: ConnectionPlan["hostKeyChecking"] | undefined,
  text: (...names: readonly string[]) => string | undefined,
): ConnectionPlan["hostKeyChecking"] {
  if (text("ansible_host_key_checking", "ansible_ssh_host_key_checking") !== undefined) {
    const value = variable("ansible_host_key_checking") ?? variable("ansible_ssh_host_key_checking");
    return isTrue(value) ? "strict" : "off";
  }
  return fromArgs ?? defaults.hostKeyChecking;
}

interface SshArgs {
  readonly port?: string;
  readonly user?: string;
  readonly identity?: string;
  readonly proxyJump?: string;
  readonly configFile?: string;
  readonly knownHosts?: string;
  readonly hostKeyChecking?: ConnectionPlan["hostKeyChecking"];
}

const sshArgsKept = 1_000;
const parsedSshArgs = new Map<string, SshArgs>();

/** The options in common use of what would be ssh's command line; the rest concerns OpenSSH's own multiplexing. */
export function readSshArgs(text: string): SshArgs {
  const known = parsedSshArgs.get(text) ?? parseSshArgs(text);
  // Every item of every task asks again.
  if (parsedSshArgs.size < sshArgsKept) parsedSshArgs.set(text, known);
  return known;
}

function parseSshArgs(text: string): SshArgs {
  const words = [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"),
  );
  const found: { -readonly [K in keyof SshArgs]: SshArgs[K] } = {};
  const takeOption = (option: string): void => {
    const [, name = "", value = ""] = /^\s*(\w+)\s*[= ]\s*(.*)$/s.exec(option) ?? [];
    const bare = value.replace(/^["']|["']$/g, "");
    if (/^ProxyJump$/i.test(name)) found.proxyJump = bare;
    else if (/^ProxyCommand$/i.test(name)) found.proxyJump = jumpOf(bare) ?? found.proxyJump ?? "";
    else if (/^Port$/i.test(name)) found.port = bare;
    else if (/^User$/i.test(name)) found.user = bare;
    else if (/^IdentityFile$/i.test(name)) found.identity = bare;
    else if (/^UserKnownHostsFile$/i.test(name)) found.knownHosts = bare;
    else if (/^StrictHostKeyChecking$/i.test(name)) {
      found.hostKeyChecking = /^(no|off)$/i.test(bare)
        ? "off"
        : /^accept-new$/i.test(bare)
          ? "accept-new"
          : "strict";
    }
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const flag = word.slice(0, 2);
    const value = (): string => (word.length > 2 ? word.slice(2) : (words[++at] ?? ""));
    if (flag === "-o") takeOption(value());
    else if (flag === "-J") found.proxyJump = value();
    else if (flag === "-p") found.port = value();
    else if (flag === "-l") found.user = value();
    else if (flag === "-i") found.identity = value();
    else if (flag === "-F") found.configFile = value();
  }
  if (found.proxyJump === "" || found.proxyJump === "none") delete found.proxyJump;
  return found;
}

/** `ssh -W %h:%p [-q] user@bastion` is a jump. */
function jumpOf(command: string): string | undefined {
  if (!/^ssh\s/.test(command) || !/-W\s*\[?%h\]?:%p/.test(command)) return undefined;
  const port = /-p\s*(\d+)/.exec(command)?.[1];
  const user = /-l\s*(\S+)/.exec(command)?.[1];
  const rest = command
    .replace(/^ssh\s+/, "")
    .replace(/-W\s*\S+/, "")
    .replace(/-[pliFo]\s*\S+/g, "")
    .replace(/-\w+/g, "")
    .trim();
  if (rest === "" || /\s/.test(rest)) return undefined;
  return `${user === undefined ? "" : `${user}@`}${rest}${port === undefined ? "" : `:${port}`}`;
}
