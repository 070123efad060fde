/** `provision vault`: encrypted files and values, in ansible-vault's format. */
import { ProvisionError } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { defaultVaultId, isVaultText } from "../provisioning/vars/vault/envelope.ts";
import { parseVaultId, type VaultSource } from "../provisioning/vars/vault/password-source.ts";
import { encryptVault, type Vault, type VaultSecret } from "../provisioning/vars/vault/vault.ts";
import { readAnsibleConfig } from "./ansible-config.ts";
import { type CliIo, exitCodes } from "./io.ts";
import {
  badUsage,
  describeOptions,
  type OptionSpec,
  type ParsedOptions,
  parseOptions,
} from "./parse-options.ts";
import { editPrivately } from "./vault-edit.ts";
import { readFileBytes, replaceFile } from "./vault-files.ts";
import { readVault, vaultSources } from "./vault-passwords.ts";

const vaultOptions: readonly OptionSpec[] = [
  {
    long: "vault-id",
    takes: "ID@SOURCE",
    repeat: true,
    help: "a password for one id: a file, a program or prompt",
  },
  {
    long: "vault-password-file",
    aliases: ["vault-pass-file"],
    takes: "FILE",
    repeat: true,
    help: "file or program that gives the password",
  },
  { long: "ask-vault-pass", aliases: ["ask-vault-password"], short: "J", help: "ask for the password" },
  { long: "encrypt-vault-id", takes: "ID", help: "which of several ids encrypts" },
  { long: "new-vault-id", takes: "ID@SOURCE", help: "rekey: the new id and password" },
  {
    long: "new-vault-password-file",
    takes: "FILE",
    help: "rekey: file or program that gives the new password",
  },
  { long: "output", takes: "FILE", help: "write there; - is standard output" },
  {
    long: "name",
    short: "n",
    takes: "NAME",
    repeat: true,
    help: "encrypt-string: the variable's name, one a text",
  },
  { long: "stdin-name", takes: "NAME", help: "encrypt-string: read the text from standard input" },
  { long: "prompt", short: "p", help: "encrypt-string: ask for the text" },
  { long: "show-input", help: "with --prompt: show what is typed" },
  { long: "verbose", short: "v", repeat: true, hidden: true, help: "" },
  { long: "help", short: "h", help: "show this" },
];

interface Work {
  readonly files: readonly string[];
  readonly options: ParsedOptions;
  readonly io: CliIo;
}
const verbs: Readonly<Record<string, { readonly usage: string; run(work: Work): Promise<void> }>> = {
  create: { usage: "create FILE              write a new encrypted file in $EDITOR", run: create },
  encrypt: {
    usage: "encrypt [FILE…]          encrypt files where they are, or standard input",
    run: encrypt,
  },
  decrypt: { usage: "decrypt [FILE…]          write them back in the clear", run: decrypt },
  view: { usage: "view FILE…               print what is in them", run: view },
  edit: { usage: "edit FILE                change one in $EDITOR", run: edit },
  rekey: { usage: "rekey FILE…              encrypt anew with another password", run: rekey },
  "encrypt-string": { usage: "encrypt-string [TEXT…]   print a value for a YAML file", run: encryptStrings },
};

export async function vaultCommand(argv: readonly string[], io: CliIo): Promise<number> {
  const options = parseOptions(vaultOptions, argv);
  const [given, ...files] = [...options.rest, ...(options.afterDashes ?? [])];
  if (options.has("help") || given === undefined) {
    const text = help(io.columns);
    if (options.has("help")) io.stdout(text);
    else io.stderr(text);
    return options.has("help") ? exitCodes.fine : exitCodes.nothingRun;
  }
  const name = given.replaceAll("_", "-");
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (verb === undefined) {
    const near = nearest(name, Object.keys(verbs));
    throw badUsage(
      `there is no "vault ${given}"`,
      `there are ${Object.keys(verbs).join(", ")}`,
      `provision vault ${[near ?? "--help", ...(near === undefined ? [] : files)].join(" ")}`,
    );
  }
  await verb.run({ files, options, io });
  return exitCodes.fine;
}

function help(columns: number): string {
  const usages = Object.values(verbs).map(({ usage }) => `  provision vault ${usage}`);
  return `${usages.join("\n")}\n\n${describeOptions(vaultOptions, columns)}\n`;
}

/** All passwords given; without any, one that is asked for. */
async function passwords({ options, io }: Work, confirm: boolean): Promise<Vault> {
  const given = vaultSources(options, readAnsibleConfig(io));
  const sources: readonly VaultSource[] =
    given.length > 0 ? given : [{ id: defaultVaultId, source: "prompt" }];
  return readVault(sources, io, confirm);
}

/** The secret that encrypts: the one that is named, or the only one. */
function encryptor(vault: Vault, { options }: Work): VaultSecret {
  const wanted = options.value("encrypt-vault-id");
  const ids = [...new Set(vault.secrets.map(({ id }) => id))];
  if (wanted === undefined && ids.length > 1)
    throw badUsage(
      `several ids were given: ${ids.join(", ")}`,
      "one of them encrypts",
      `--encrypt-vault-id ${ids[0]}`,
    );
  const found = vault.secrets.find(({ id }) => wanted === undefined || id === wanted);
  if (found === undefined)
    throw badUsage(`no password was given for the id "${wanted}"`, undefined, `--vault-id ${wanted}@FILE`);
  return found;
}

function wantFiles({ files }: Work, verb: string): readonly string[] {
  if (files.length === 0)
    throw badUsage(`"vault ${verb}" stands without a file`, undefined, `provision vault ${verb} FILE`);
  return files;
}

/** Each input with the place its result goes to: the file itself, or --output. */
async function inputs(work: Work): Promise<readonly { bytes: Uint8Array; from: string; to: string }[]> {
  const { files, options, io } = work;
  const output = options.value("output");
  const names = files.length === 0 ? ["-"] : files;
  if (output !== undefined && names.length > 1) throw badUsage("--output was given with several files");
  return Promise.all(
    names.map(async (name) => {
      const bytes = name === "-" ? await io.readStdin() : readFileBytes(name, io.cwd);
      return { bytes, from: name, to: output ?? name };
    }),
  );
}

function put(to: string, content: string | Uint8Array, { io }: Work, mode?: number): void {
  if (to === "-") io.stdout(typeof content === "string" ? content : Buffer.from(content).toString("utf8"));
  else replaceFile(to, content, { cwd: io.cwd, ...(mode === undefined ? {} : { mode }) });
}

async function encrypt(work: Work): Promise<void> {
  const read = await inputs(work);
  const done = read.find(({ bytes }) => isVaultText(Buffer.from(bytes).toString("latin1")));
  if (done !== undefined)
    throw refused(
      done.from === "-" ? "encrypt standard input" : `encrypt "${done.from}"`,
      "it is encrypted already",
      done.from === "-" ? undefined : `provision vault rekey ${done.from}`,
    );
  const secret = encryptor(await passwords(work, true), work);
  for (const { bytes, to } of read) put(to, encryptVault(bytes, secret), work);
  if (read.some(({ to }) => to !== "-")) work.io.stderr("Encryption successful\n");
}

async function decrypt(work: Work): Promise<void> {
  const read = await inputs(work);
  const vault = await passwords(work, false);
  const opened = read.map(({ bytes, from, to }) => ({ to, plaintext: openFile(bytes, from, vault) }));
  for (const { to, plaintext } of opened) put(to, plaintext, work);
  if (read.some(({ to }) => to !== "-")) work.io.stderr("Decryption successful\n");
}

const openFile = (bytes: Uint8Array, name: string, vault: Vault): Uint8Array =>
  openWith(bytes, name, vault).plaintext;
function openWith(bytes: Uint8Array, name: string, vault: Vault): ReturnType<Vault["open"]> {
  const text = Buffer.from(bytes).toString("utf8");
  if (!isVaultText(text))
    throw refused(`open "${name}"`, "it is not encrypted", `cat ${name}`, "its text is in the clear already");
  return vault.open(text, { file: name, line: 1, column: 1 });
}

async function view(work: Work): Promise<void> {
  const files = wantFiles(work, "view");
  const vault = await passwords(work, false);
  for (const name of files)
    work.io.stdout(Buffer.from(openFile(readFileBytes(name, work.io.cwd), name, vault)).toString("utf8"));
}

async function create(work: Work): Promise<void> {
  const [name] = wantFiles(work, "create");
  if (name === undefined || work.files.length > 1) throw badUsage('"vault create" takes one file');
  const { existsSync } = await import("node:fs");
  const { resolve } = await import("node:path");
  if (existsSync(resolve(work.io.cwd, name)))
    throw refused(`create "${name}"`, "it exists already", `provision vault edit ${name}`);
  const secret = encryptor(await passwords(work, true), work);
  const written = await editPrivately(Buffer.alloc(0), name, work.io);
  put(name, encryptVault(written, secret), work, 0o600);
}

async function edit(work: Work): Promise<void> {
  const [name] = wantFiles(work, "edit");
  if (name === undefined || work.files.length > 1) throw badUsage('"vault edit" takes one file');
  const vault = await passwords(work, false);
  const { plaintext, secret } = openWith(readFileBytes(name, work.io.cwd), name, vault);
  const written = await editPrivately(plaintext, name, work.io);
  if (Buffer.compare(written, plaintext) === 0) return;
  const wanted = work.options.value("encrypt-vault-id");
  put(name, encryptVault(written, wanted === undefined ? secret : encryptor(vault, work)), work);
}

async function rekey(work: Work): Promise<void> {
  const { options, io } = work;
  const files = wantFiles(work, "rekey");
  const vault = await passwords(work, false);
  const opened = files.map((name) => ({
    name,
    plaintext: openFile(readFileBytes(name, io.cwd), name, vault),
  }));
  const newId = options.value("new-vault-id");
  const newFile = options.value("new-vault-password-file");
  const source =
    newId === undefined ? { id: defaultVaultId, source: newFile ?? "prompt" } : parseVaultId(newId);
  const [fresh] = (await readVault([source], io, true)).secrets;
  if (fresh === undefined) return;
  for (const { name, plaintext } of opened) put(name, encryptVault(plaintext, fresh), work);
  io.stderr("Rekey successful\n");
}

async function encryptStrings(work: Work): Promise<void> {
  const { options, io, files } = work;
  const names = options.all("name");
  const texts: { text: Uint8Array; name: string | undefined }[] = files
    .filter((text) => text !== "-")
    .map((text, index) => ({ text: Buffer.from(text, "utf8"), name: names[index] }));
  const stdinName = options.value("stdin-name");
  if (stdinName !== undefined || files.includes("-") || (texts.length === 0 && !options.has("prompt")))
    texts.push({ text: await io.readStdin(), name: stdinName ?? names[texts.length] });
  const secret = encryptor(await passwords(work, true), work);
  if (options.has("prompt")) {
    const typed = await io.prompt("String to encrypt: ", { hidden: !options.has("show-input") });
    texts.push({ text: Buffer.from(typed, "utf8"), name: names[texts.length] });
  }
  const made = texts.map(({ text, name }) => inlineVault(encryptVault(text, secret), name));
  put(options.value("output") ?? "-", made.join(""), work);
}

/** As it stands in a YAML file: `name: !vault |` and the text, indented. */
function inlineVault(text: string, name: string | undefined): string {
  const lines = text.trimEnd().split("\n");
  const indent = name === undefined ? "  " : "          ";
  return `${name === undefined ? "" : `${name}: `}!vault |\n${lines.map((line) => indent + line).join("\n")}\n`;
}

const refused = (action: string, state: string, fix: string | undefined, why?: string): ProvisionError =>
  new ProvisionError({ code: "bad-vault", action, state, why, fix });
