/** Questions about services: one `systemctl show` for all; elsewhere each init script says its own status. */
import { shellWords } from "../../base/shell-quote.ts";
import { decodeHostText } from "./host-text.ts";
import type { Question, UnitAnswer } from "./question.ts";
import { badAnswer, type Sections } from "./sections.ts";

export type UnitQuestion = Extract<Question, { of: "unit" }>;

/** What modules and `register`ed results look at; all 250 properties would be 8 kB a unit. */
const properties = [
  "ActiveEnterTimestamp",
  "ActiveEnterTimestampMonotonic",
  "ActiveExitTimestamp",
  "ActiveState",
  "After",
  "Before",
  "CanReload",
  "CanStart",
  "CanStop",
  "ConditionResult",
  "ControlGroup",
  "Description",
  "Documentation",
  "DropInPaths",
  "Environment",
  "EnvironmentFiles",
  "ExecMainCode",
  "ExecMainPID",
  "ExecMainStartTimestamp",
  "ExecMainStatus",
  "ExecReload",
  "ExecStart",
  "ExecStop",
  "FragmentPath",
  "Group",
  "Id",
  "InactiveEnterTimestamp",
  "InvocationID",
  "KillMode",
  "LimitNOFILE",
  "LoadError",
  "LoadState",
  "MainPID",
  "MemoryCurrent",
  "NRestarts",
  "Names",
  "NeedDaemonReload",
  "RemainAfterExit",
  "Requires",
  "Restart",
  "RestartUSec",
  "Result",
  "Slice",
  "SourcePath",
  "StateChangeTimestamp",
  "StatusText",
  "SubState",
  "TimeoutStartUSec",
  "TimeoutStopUSec",
  "Type",
  "UnitFilePreset",
  "UnitFileState",
  "User",
  "WantedBy",
  "Wants",
  "WorkingDirectory",
];

/** R prints the names that a runlevel starts: what "enabled" means for an init script; F those with a unit file. */
const functions = `
R() { m rc; for u do for f in /etc/rc[2345S].d/S[0-9][0-9]"\${u%.service}" /etc/runlevels/default/"\${u%.service}"; do
[ -e "$f" ] && { printf '%s\\n' "$u"; break; }; done; done; }
F() { m files; for u do case $u in *.*) f=$u;; *) f=$u.service;; esac
for d in /etc/systemd /run/systemd /usr/local/lib/systemd /usr/lib/systemd /lib/systemd; do
[ -e $d/system/"$f" ] && { printf '%s\\n' "$u"; break; }; done; done; }
U() { if [ -d /run/systemd/system ]; then m systemd; systemctl show -p ${properties.join(",")} -- "$@" 2>/dev/null; F "$@"
else m sysv; for u do i=/etc/init.d/"\${u%.service}"; [ -x "$i" ] || continue
"$i" status </dev/null >/dev/null 2>&1; printf '%s %s\\n' "$?" "$u"; done; fi; R "$@"; }
`.trim();

export function unitScript(questions: readonly UnitQuestion[]): string {
  return `${functions}\nU ${shellWords([...new Set(questions.map(({ name }) => name))])}`;
}

export function readUnits(
  sections: Sections,
  questions: readonly UnitQuestion[],
): (question: UnitQuestion) => UnitAnswer {
  const started = new Set(decodeHostText(sections.get("rc") ?? Buffer.alloc(0)).split("\n"));
  const systemd = sections.get("systemd");
  if (systemd !== undefined) {
    const names = [...new Set(questions.map(({ name }) => name))];
    const blocks = blocksOf(decodeHostText(systemd));
    const onDisk = new Set(decodeHostText(sections.get("files") ?? Buffer.alloc(0)).split("\n"));
    return ({ name }) => {
      const unit = systemdUnit(blockFor(blocks, names, name), started.has(name));
      const isUnread = unit.exists ? unit.properties.NeedDaemonReload === "yes" : onDisk.has(name);
      return isUnread ? { ...unit, isUnread } : unit;
    };
  }
  const sysv = sections.get("sysv");
  if (sysv === undefined) throw badAnswer("the units are missing");
  const codes = new Map<string, number>();
  for (const line of decodeHostText(sysv).split("\n")) {
    const match = /^(\d+) (.+)$/.exec(line);
    if (match) codes.set(match[2] ?? "", Number(match[1]));
  }
  return ({ name }) => initScript(codes.get(name), started.has(name));
}

type Block = Readonly<Record<string, string>>;

function blocksOf(text: string): Block[] {
  return text
    .split("\n\n")
    .filter((block) => block.trim() !== "")
    .map((block) => Object.fromEntries(block.split("\n").flatMap(keyAndValue)));
}

function keyAndValue(line: string): [string, string][] {
  const at = line.indexOf("=");
  return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)]];
}

const withSuffix = (name: string): string => (/\.[a-z]+$/.test(name) ? name : `${name}.service`);

/** By name (an alias is listed under Names); by place when systemd wrote the name differently. */
function blockFor(blocks: readonly Block[], names: readonly string[], name: string): Block {
  const full = withSuffix(name);
  const named = blocks.find(({ Id, Names = "" }) => Id === full || Names.split(" ").includes(full));
  if (named) return named;
  return blocks.length === names.length ? (blocks[names.indexOf(name)] ?? {}) : {};
}

const activeStates = new Set(["active", "inactive", "failed", "activating", "deactivating", "reloading"]);
const fileStates = new Set(["enabled", "disabled", "static", "masked", "indirect", "alias"]);
const isActive = (text: string): text is UnitAnswer["active"] => activeStates.has(text);
const isFileState = (text: string): text is UnitAnswer["enabled"] => fileStates.has(text);

function systemdUnit(block: Block, startedByRunlevel: boolean): UnitAnswer {
  const { LoadState = "not-found", ActiveState = "inactive", UnitFileState = "" } = block;
  return {
    manager: "systemd",
    exists: LoadState !== "not-found",
    active: isActive(ActiveState) ? ActiveState : "inactive",
    enabled: enabledState(UnitFileState, LoadState, startedByRunlevel),
    properties: block,
  };
}

/** A unit that systemd generated from an init script is enabled when a runlevel starts that script. */
function enabledState(fileState: string, loadState: string, started: boolean): UnitAnswer["enabled"] {
  if (fileState === "generated") return started ? "enabled" : "disabled";
  const state = fileState.replace(/^linked$/, "disabled").replace(/-runtime$/, "");
  if (isFileState(state)) return state;
  return loadState === "masked" ? "masked" : "unknown";
}

/** LSB: 0 runs, 1 and 2 died, 3 does not run, 4 unknown. */
function initScript(code: number | undefined, started: boolean): UnitAnswer {
  return {
    manager: "sysvinit",
    exists: code !== undefined,
    active: code === 0 ? "active" : code === 1 || code === 2 ? "failed" : "inactive",
    enabled: started ? "enabled" : "disabled",
    properties: {},
  };
}
