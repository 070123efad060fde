/** Options and ansible.cfg → how hosts are reached where their variables say nothing. */
import { resolve } from "node:path";
import { nearest } from "../base/nearest.ts";
import type { ConnectionDefaults } from "../provisioning/engine/run-request.ts";
import { readPasswordFile } from "../provisioning/vars/vault/password-source.ts";
import type { AnsibleConfig } from "./ansible-config.ts";
import type { CliIo } from "./io.ts";
import { badUsage, type ParsedOptions } from "./parse-options.ts";

export async function connectionOf(
  options: ParsedOptions,
  io: CliIo,
  config: AnsibleConfig,
): Promise<ConnectionDefaults> {
  const user = options.value("user") ?? config.remoteUser;
  const key = options.value("private-key") ?? config.privateKeyFile;
  const connection = connectionKind(options.value("connection") ?? config.connection);
  const seconds = options.number("timeout", 1) ?? config.timeoutSeconds;
  const method = options.value("become-method") ?? config.becomeMethod;
  if (method !== undefined && method !== "sudo" && method !== "su") {
    throw badUsage(`--become-method is "${method}"`, "it is sudo or su");
  }
  const password = await loginPassword(options, io, config);
  const becomePassword = await passwordOfBecome(options, io, {
    method,
    password,
    isAsked: config.askBecomePass,
    file: options.value("become-password-file") ?? config.becomePasswordFile,
  });
  const sshArgs = [config.sshArgs ?? "", ...options.all("ssh-common-args")].join(" ").trim();
  const becomeUser = options.value("become-user") ?? config.becomeUser;
  const sshConfig = options.value("ssh-config");
  return {
    ...(user === undefined ? {} : { user }),
    ...(key === undefined ? {} : { privateKeyFile: key }),
    ...(connection === undefined ? {} : { connection }),
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
    ...(password === undefined ? {} : { password }),
    hostKeyChecking: options.has("accept-new-host-keys")
      ? "accept-new"
      : config.hostKeyChecking
        ? "strict"
        : "off",
    ...(sshConfig === undefined ? {} : { sshConfigFile: resolve(io.cwd, sshConfig) }),
    become: options.has("become") || config.become,
    ...(becomeUser === undefined ? {} : { becomeUser }),
    ...(method === undefined ? {} : { becomeMethod: method }),
    ...(becomePassword === undefined ? {} : { becomePassword }),
    ...(config.becomeFlags === undefined ? {} : { becomeFlags: config.becomeFlags.split(/\s+/) }),
    ...(config.remotePort === undefined ? {} : { port: config.remotePort }),
    ...(sshArgs === "" ? {} : { sshArgs }),
    ...(io.canAsk ? { confirmHostKey: confirmHostKey(io) } : {}),
  };
}

async function loginPassword(
  options: ParsedOptions,
  io: CliIo,
  { askPass, passwordFile }: AnsibleConfig,
): Promise<string | undefined> {
  const file = options.value("connection-password-file") ?? passwordFile;
  if (file !== undefined) return passwordFrom(file, "the login password", io);
  if (!options.has("ask-pass") && !askPass) return undefined;
  return io.prompt("Login password: ", { hidden: true, otherwise: "--connection-password-file FILE" });
}

interface BecomeAsked {
  readonly method?: string | undefined;
  /** Of the login: an empty answer means the same one. */
  readonly password: string | undefined;
  readonly isAsked: boolean;
  readonly file: string | undefined;
}

async function passwordOfBecome(
  options: ParsedOptions,
  io: CliIo,
  { method = "sudo", password, isAsked, file }: BecomeAsked,
): Promise<string | undefined> {
  if (file !== undefined) return passwordFrom(file, `the password of ${method}`, io);
  if (!options.has("ask-become-pass") && !isAsked) return undefined;
  const question = `Password of ${method}${password === undefined ? "" : " (Enter: the login password)"}: `;
  return (await io.prompt(question, { hidden: true, otherwise: "--become-password-file FILE" })) || password;
}

const passwordFrom = (file: string, what: string, io: CliIo): string =>
  readPasswordFile(expandHome(file, io), what).toString("utf8");

const expandHome = (file: string, io: CliIo): string =>
  resolve(io.cwd, file.replace(/^~(?=\/)/, io.env["HOME"] ?? "~"));

const confirmHostKey =
  (io: CliIo) =>
  async (question: string): Promise<boolean> =>
    /^y(es)?$/i.test((await io.prompt(`${question} (yes/no) `)).trim());

function connectionKind(kind: string | undefined): ConnectionDefaults["connection"] {
  if (kind === undefined || kind === "smart") return undefined;
  if (kind === "ssh" || kind === "local" || kind === "docker") return kind;
  throw badUsage(
    `--connection is "${kind}"`,
    "it is ssh, local or docker",
    `-c ${nearest(kind, ["ssh", "local", "docker"]) ?? "ssh"}`,
  );
}
