/** File modes as tasks write them: octal digits, a number that YAML made of them, or chmod's letters. */
import type { JsonValue } from "../../base/json.ts";

export type Mode =
  | { readonly kind: "octal"; readonly bits: number }
  | { readonly kind: "symbolic"; readonly clauses: string }
  /** copy and template: as the source has it. */
  | { readonly kind: "preserve" };

const symbolic = /^([ugoa]*[-+=]([rwxXst]*|[ugo]))+(,([ugoa]*[-+=]([rwxXst]*|[ugo]))+)*$/;

export function readMode(value: JsonValue): { readonly mode: Mode } | { readonly refused: string } {
  if (typeof value === "number") return readNumericMode(value);
  if (typeof value !== "string") return { refused: `wants a mode like "0644", not ${JSON.stringify(value)}` };
  if (value === "preserve") return { mode: { kind: "preserve" } };
  if (/^(0o)?[0-7]{1,5}$/.test(value)) {
    const bits = Number.parseInt(value.replace("0o", ""), 8);
    if (bits <= 0o7777) return { mode: { kind: "octal", bits } };
  }
  if (symbolic.test(value)) return { mode: { kind: "symbolic", clauses: value } };
  return { refused: `wants a mode like "0644" or "u=rw,g=r", not ${JSON.stringify(value)}` };
}

/** The owner reads, may do what the group may, and the group what others may: so look the modes that people mean. */
function isNested(bits: number): boolean {
  const [user, group, other] = [(bits >> 6) & 7, (bits >> 3) & 7, bits & 7];
  return bits <= 0o7777 && (user | group) === user && (group | other) === group && (user & 4) !== 0;
}

/** `mode: 0644` reaches us as 420. `mode: 644` would be 01204: the classic trap, refused. */
function readNumericMode(value: number): { readonly mode: Mode } | { readonly refused: string } {
  if (!Number.isInteger(value) || value < 0 || value > 0o7777) {
    return { refused: `wants a mode like "0644", not ${value}` };
  }
  const digits = String(value);
  const meant = /^[0-7]{3,4}$/.test(digits) ? Number.parseInt(digits, 8) : -1;
  const plausible = isNested(value) && value <= 0o777;
  if (meant >= 0 && isNested(meant) && value !== 0o777) {
    const other = plausible ? ` or "0${value.toString(8)}"` : "";
    return {
      refused: `has the decimal number ${value}, which would be mode 0${value.toString(8)}: write "0${digits}"${other}`,
    };
  }
  return { mode: { kind: "octal", bits: value } };
}

export const octalDigits = (bits: number): string => bits.toString(8).padStart(4, "0");

/** For chmod: with five digits GNU's takes setgid off a folder too. */
export const chmodDigits = (bits: number): string => `0${octalDigits(bits)}`;

/** As Ansible's results write it. */
export const shownMode = (bits: number): string => `0${bits.toString(8).padStart(3, "0")}`;

/** Modules cannot ask for the umask of the moment; this is the one that new files get without a mode. */
export const assumedUmask = 0o022;

export interface ModeBase {
  readonly bits: number;
  readonly isDirectory: boolean;
}

/** The bits that a file must have, given what it has now. "preserve" must be resolved by the caller before. */
export function resolveMode(mode: Mode, base: ModeBase): number {
  if (mode.kind === "octal") return mode.bits;
  if (mode.kind === "preserve") return base.bits;
  return mode.clauses.split(",").reduce((bits, clause) => applyClause(clause, { ...base, bits }), base.bits);
}

function applyClause(clause: string, base: ModeBase): number {
  const who = /^[ugoa]*/.exec(clause)?.[0] ?? "";
  const operations = clause.slice(who.length).matchAll(/([-+=])([rwxXst]*|[ugo])(?=[-+=]|$)/g);
  let bits = base.bits;
  for (const [, operator = "=", letters = ""] of operations) {
    bits = applyOperation({ who, operator, letters }, { ...base, bits });
  }
  return bits;
}

interface Operation {
  readonly who: string;
  readonly operator: string;
  readonly letters: string;
}

const shifts: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };

function applyOperation({ who, operator, letters }: Operation, base: ModeBase): number {
  const people = who === "" || who.includes("a") ? "ugo" : who;
  const mask = who === "" ? ~assumedUmask : ~0;
  let wanted = 0;
  let cleared = 0;
  for (const person of people) {
    const shift = shifts[person] ?? 0;
    wanted |= rights(letters, base) << shift;
    cleared |= 7 << shift;
    if (letters.includes("s") && person === "u") wanted |= 0o4000;
    if (letters.includes("s") && person === "g") wanted |= 0o2000;
    if (person === "u") cleared |= 0o4000;
    if (person === "g") cleared |= 0o2000;
  }
  if (letters.includes("t") && people.includes("o")) wanted |= 0o1000;
  wanted &= mask;
  if (operator === "+") return base.bits | wanted;
  if (operator === "-") return base.bits & ~wanted;
  return (base.bits & ~cleared) | wanted;
}

function rights(letters: string, base: ModeBase): number {
  if (/^[ugo]$/.test(letters)) return (base.bits >> (shifts[letters] ?? 0)) & 7;
  let bits = 0;
  if (letters.includes("r")) bits |= 4;
  if (letters.includes("w")) bits |= 2;
  if (letters.includes("x")) bits |= 1;
  if (letters.includes("X") && (base.isDirectory || (base.bits & 0o111) !== 0)) bits |= 1;
  return bits;
}
