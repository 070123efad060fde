/**
 * How a daemon learns its flags, as Mesos's and Marathon's packages do it. From the strongest to the weakest:
 * the command line (`--flag=value`, `--flag`, `--no-flag`), a file per flag in /etc/mesos-master/ and its like (`?flag`
 * and `?no-flag` for booleans), the environment (`MESOS_<FLAG>`), the /etc/default files (`MESOS_<FLAG>` and short names
 * like ZK and IP), /etc/mesos/zk, the flag's default. A value `file:///path` stands for that file's content.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type ErrorFields, ProvisionError, type Span } from "../base/errors.ts";
import { nearest } from "../base/nearest.ts";
import { parseDefaultFile } from "./default-file.ts";
import { type FlagKind, flagKinds, type KindValue } from "./flag-kinds.ts";

interface FlagBase<Kind extends FlagKind> {
  readonly kind: Kind;
  readonly summary: string;
  /** Older names that mean the same. */
  readonly aliases?: readonly string[];
}
export interface FlagWithDefault<Kind extends FlagKind> extends FlagBase<Kind> {
  /** Written as a user would write it. */
  readonly default: string;
}
export interface FlagWithoutDefault<Kind extends FlagKind> extends FlagBase<Kind> {
  readonly default?: undefined;
}
export type Flag =
  | { [K in FlagKind]: FlagWithDefault<K> }[FlagKind]
  | { [K in FlagKind]: FlagWithoutDefault<K> }[FlagKind];
export type FlagSet = Readonly<Record<string, Flag>>;

export type FlagValues<Flags extends FlagSet> = {
  readonly [Name in keyof Flags]: Flags[Name] extends FlagWithDefault<infer Kind>
    ? KindValue<Kind>
    : Flags[Name] extends FlagWithoutDefault<infer Kind>
      ? KindValue<Kind> | undefined
      : never;
};

export interface DaemonSpec<Flags extends FlagSet> {
  /** "mesos-master": its name in errors and help. */
  readonly name: string;
  readonly summary: string;
  readonly flags: Flags;
  /** "MESOS_" */
  readonly environmentPrefix: string;
  /** Folder of one file a flag, below /etc: "mesos-master". */
  readonly flagFolder?: string;
  /** Files below /etc/default, a later one wins: "mesos", "mesos-master". */
  readonly defaultFiles: readonly string[];
  /** Names without prefix in the default files: ZK → zk. */
  readonly shortNames?: Readonly<Record<string, string>>;
  /** Files below /etc whose content is a flag's last resort: zk → "mesos/zk". */
  readonly lastResorts?: Readonly<Record<string, string>>;
  /** Flags of the original that change nothing here: read and forgotten. */
  readonly withoutEffect?: readonly string[];
  /** Flags of the original whose silent loss would mislead or endanger: refused unless false. */
  readonly unsupported?: readonly string[];
}

export interface ConfigurationSources {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where etc is; undefined reads no files. */
  readonly etc?: string | undefined;
}

export interface DaemonConfiguration<Flags extends FlagSet> {
  readonly values: FlagValues<Flags>;
  /** What was set, as text: what `/flags` shows. */
  readonly texts: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
  readonly wantsHelp: boolean;
  readonly wantsVersion: boolean;
}

interface Setting {
  readonly flag: string;
  readonly value: string;
  /** Where it was said, for errors. */
  readonly from: string;
  readonly span?: Span | undefined;
}

/** Throws ProvisionError (unknown-flag, bad-flag) for the first thing that is wrong. */
export function readDaemonConfiguration<Flags extends FlagSet>(
  spec: DaemonSpec<Flags>,
  sources: ConfigurationSources,
): DaemonConfiguration<Flags> {
  const warnings: string[] = [];
  const settings = new Map<string, Setting>();
  const settingsByWeakness = [
    ...fromLastResorts(spec, sources),
    ...fromDefaultFiles(spec, sources, warnings),
    ...fromEnvironment(spec, sources.env),
    ...fromFlagFolder(spec, sources),
    ...fromCommandLine(spec, sources.argv),
  ];
  for (const setting of settingsByWeakness) settings.set(setting.flag, setting);
  const values: Record<string, unknown> = {};
  const texts: Record<string, string> = {};
  for (const [name, flag] of Object.entries(spec.flags)) {
    const text = textOf(spec, name, flag, settings.get(name));
    if (text !== undefined) texts[name] = text;
    values[name] = text === undefined ? undefined : flagKinds[flag.kind].read(text);
  }
  return {
    values: values as FlagValues<Flags>,
    texts,
    warnings,
    wantsHelp: sources.argv.includes("--help"),
    wantsVersion: sources.argv.includes("--version"),
  };
}

function textOf(
  spec: DaemonSpec<FlagSet>,
  name: string,
  flag: Flag,
  setting: Setting | undefined,
): string | undefined {
  if (setting === undefined) return flag.default;
  const text = setting.value.startsWith("file://")
    ? contentOf(setting, setting.value.slice("file://".length))
    : setting.value;
  const kind = flagKinds[flag.kind];
  if (kind.read(text) !== undefined) return text;
  throw new ProvisionError({
    code: "bad-flag",
    action: `read flag "${name}" of ${spec.name} from ${setting.from}`,
    state: `"${text}" is not ${kind.wanted}`,
    span: setting.span,
    why: `${name}: ${flag.summary}`,
    fix: `write it like --${name}=${kind.example}`,
  });
}

function contentOf(setting: Setting, path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new ProvisionError({
      code: "missing-file",
      action: `read flag "${setting.flag}" from ${setting.from}`,
      state: `the file "${path}" cannot be read`,
      span: setting.span,
      cause,
    });
  }
}

/** The flag that a written name means; undefined for one that is known and has no effect here. */
function resolveFlag(spec: DaemonSpec<FlagSet>, setting: Setting): string | undefined {
  const { flag: written, value } = setting;
  if (spec.flags[written] !== undefined) return written;
  const named = Object.entries(spec.flags).find(([, flag]) => flag.aliases?.includes(written));
  if (named !== undefined) return named[0];
  if (spec.withoutEffect?.includes(written)) return undefined;
  if (spec.unsupported?.includes(written)) {
    if (value === "false") return undefined;
    throw refused(spec, setting, {
      state: `the built-in ${spec.name} does not do what "${written}" asks for`,
      fix: `leave it out, or run the original by scheduler_source: package`,
    });
  }
  const meant = nearest(written, [...Object.keys(spec.flags), ...(spec.withoutEffect ?? [])]);
  throw refused(spec, setting, {
    state: `there is no flag "${written}"`,
    fix: meant === undefined ? `${spec.name} --help lists the flags` : `write "${meant}"`,
  });
}

const refused = (
  spec: DaemonSpec<FlagSet>,
  setting: Setting,
  fields: Pick<ErrorFields, "state" | "fix">,
): ProvisionError =>
  new ProvisionError({
    code: "unknown-flag",
    action: `start ${spec.name} with "${setting.flag}" from ${setting.from}`,
    span: setting.span,
    ...fields,
  });

function* resolved(spec: DaemonSpec<FlagSet>, settings: Iterable<Setting>): Generator<Setting> {
  for (const setting of settings) {
    const flag = resolveFlag(spec, setting);
    if (flag !== undefined) yield { ...setting, flag };
  }
}

function fromCommandLine(spec: DaemonSpec<FlagSet>, argv: readonly string[]): Iterable<Setting> {
  const found: Setting[] = [];
  const from = "the command line";
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? "";
    if (word === "--help" || word === "--version") continue;
    const [, written = "", value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (written === "")
      throw refused(spec, { flag: word, value: "", from }, { state: "it is no --flag", fix: undefined });
    const negated = written.startsWith("no-") && spec.flags[written] === undefined;
    if (value !== undefined) found.push({ flag: written, value, from });
    else if (negated) found.push({ flag: written.slice(3), value: "false", from });
    else if (takesNextWord(spec, written, argv[index + 1]))
      found.push({ flag: written, value: argv[++index] ?? "", from });
    else found.push({ flag: written, value: "true", from });
  }
  return resolved(spec, found);
}

/** Marathon's users write `--http_port 8080`. */
const takesNextWord = (spec: DaemonSpec<FlagSet>, flag: string, next: string | undefined): boolean =>
  next !== undefined && !next.startsWith("--") && (spec.flags[flag]?.kind ?? "boolean") !== "boolean";

/** Foreign names under the prefix are left alone: MESOS_NATIVE_JAVA_LIBRARY and its like are not for us. */
function* fromEnvironment(
  spec: DaemonSpec<FlagSet>,
  env: Readonly<Record<string, string | undefined>>,
): Generator<Setting> {
  for (const [name, value] of Object.entries(env)) {
    const flag = name.startsWith(spec.environmentPrefix) ? flagOfVariable(spec, name) : undefined;
    if (flag !== undefined && value !== undefined) yield { flag, value, from: `the environment's ${name}` };
  }
}

function flagOfVariable(spec: DaemonSpec<FlagSet>, variable: string): string | undefined {
  const written = variable.slice(spec.environmentPrefix.length).toLowerCase();
  if (spec.flags[written] !== undefined) return written;
  return Object.entries(spec.flags).find(([, flag]) => flag.aliases?.includes(written))?.[0];
}

function* fromDefaultFiles(
  spec: DaemonSpec<FlagSet>,
  { etc }: ConfigurationSources,
  warnings: string[],
): Generator<Setting> {
  if (etc === undefined) return;
  const known = new Map<string, string>();
  for (const name of spec.defaultFiles) {
    const path = join(etc, "default", name);
    if (!existsSync(path)) continue;
    for (const { variable, value, span } of parseDefaultFile(path, readFileSync(path, "utf8"), known)) {
      const short = spec.shortNames?.[variable];
      const flag =
        short ?? (variable.startsWith(spec.environmentPrefix) ? flagOfVariable(spec, variable) : undefined);
      if (flag !== undefined && value !== "") yield { flag, value, from: path, span };
      else if (flag === undefined && name === spec.name && variable.startsWith(spec.environmentPrefix))
        warnings.push(`${path}:${span.line}: ${variable} is no flag of ${spec.name}`);
    }
  }
}

function fromFlagFolder(spec: DaemonSpec<FlagSet>, { etc }: ConfigurationSources): Iterable<Setting> {
  const folder = etc === undefined || spec.flagFolder === undefined ? undefined : join(etc, spec.flagFolder);
  if (folder === undefined || !existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => !/^\.|~$|\.(dpkg|ucf)-/.test(name));
  return resolved(
    spec,
    names.sort().map((name) => settingOfFile(folder, name)),
  );
}

function settingOfFile(folder: string, name: string): Setting {
  const path = join(folder, name);
  if (statSync(path).isDirectory()) return { flag: name, value: joinedFolder(path), from: path };
  if (name.startsWith("?no-")) return { flag: name.slice(4), value: "false", from: path };
  if (name.startsWith("?")) return { flag: name.slice(1), value: "true", from: path };
  return { flag: name, value: readFileSync(path, "utf8").trim(), from: path };
}

/** attributes/ and resources/: a file a name, its content the value. */
const joinedFolder = (folder: string): string =>
  readdirSync(folder)
    .sort()
    .map((name) => `${name}:${readFileSync(join(folder, name), "utf8").trim()}`)
    .join(";");

function* fromLastResorts(spec: DaemonSpec<FlagSet>, { etc }: ConfigurationSources): Generator<Setting> {
  if (etc === undefined) return;
  for (const [flag, file] of Object.entries(spec.lastResorts ?? {})) {
    const path = join(etc, file);
    if (existsSync(path)) yield { flag, value: readFileSync(path, "utf8").trim(), from: path };
  }
}

/** What `--help` prints. */
export function daemonHelp(spec: DaemonSpec<FlagSet>): string {
  const lines = Object.entries(spec.flags).map(([name, flag]) => {
    const value = flag.kind === "boolean" ? `--[no-]${name}` : `--${name}=${flagKinds[flag.kind].example}`;
    const usual = flag.default === undefined ? "" : ` (default ${flag.default})`;
    return `  ${value}\n      ${flag.summary}${usual}`;
  });
  const sources = `Each flag may also be set by ${spec.environmentPrefix}<FLAG>${spec.flagFolder === undefined ? "" : ` or by a file /etc/${spec.flagFolder}/<flag>`}.`;
  return `Usage: ${spec.name} [--flag=value …]\n\n${spec.summary}\n${sources}\n\n${lines.join("\n")}\n`;
}
