/** Dates without a zone, as to_datetime and now() give them, and the spans between them. */

import type { JsonValue } from "../../../base/json.ts";
import { type CallArgs, Fault, float, isNumeric, PyObject, toNumber, type Value } from "./value.ts";

const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const pad = (value: number, size = 2, fill = "0"): string => String(value).padStart(size, fill);

/** `epochMs` as a clock on the wall shows it, here or in UTC. */
export function makeDateTime(epochMs: number, utc: boolean): DateTime {
  const offset = utc ? 0 : -new Date(epochMs).getTimezoneOffset();
  return new DateTime(epochMs + offset * 60_000, offset);
}

export class DateTime extends PyObject {
  override readonly typeName = "datetime";
  /** Its fields, read as if they were UTC. */
  readonly wallMs: number;
  /** Minutes east of UTC, as far as known. */
  readonly offset: number | undefined;
  constructor(wallMs: number, offset?: number) {
    super();
    this.wallMs = wallMs;
    this.offset = offset;
  }
  get #date(): Date {
    return new Date(this.wallMs);
  }
  get #epochMs(): number {
    if (this.offset !== undefined) return this.wallMs - this.offset * 60_000;
    const d = this.#date;
    const parts = [
      d.getUTCMonth(),
      d.getUTCDate(),
      d.getUTCHours(),
      d.getUTCMinutes(),
      d.getUTCSeconds(),
    ] as const;
    return new Date(d.getUTCFullYear(), ...parts, d.getUTCMilliseconds()).getTime();
  }
  override attribute(name: string): Value | undefined {
    const d = this.#date;
    const fields: Readonly<Record<string, number>> = {
      year: d.getUTCFullYear(),
      month: d.getUTCMonth() + 1,
      day: d.getUTCDate(),
      hour: d.getUTCHours(),
      minute: d.getUTCMinutes(),
      second: d.getUTCSeconds(),
      microsecond: d.getUTCMilliseconds() * 1000,
    };
    return Object.hasOwn(fields, name) ? fields[name] : undefined;
  }
  override method(name: string, { args }: CallArgs): Value | undefined {
    const weekday = (this.#date.getUTCDay() + 6) % 7;
    switch (name) {
      case "strftime":
        return this.format(typeof args[0] === "string" ? args[0] : "");
      case "isoformat":
        return this.text().replace(" ", typeof args[0] === "string" ? args[0] : "T");
      case "timestamp":
        return float(this.#epochMs / 1000);
      case "weekday":
        return weekday;
      case "isoweekday":
        return weekday + 1;
      case "date":
        return this.format("%Y-%m-%d");
      case "time":
        return this.format("%H:%M:%S");
      default:
        return undefined;
    }
  }
  override binary(operator: string, other: Value): Value | undefined {
    if (other instanceof DateTime && operator === "-") return new TimeDelta(this.wallMs - other.wallMs);
    if (!(other instanceof TimeDelta)) return undefined;
    if (operator === "+" || operator === "r+") return new DateTime(this.wallMs + other.ms, this.offset);
    return operator === "-" ? new DateTime(this.wallMs - other.ms, this.offset) : undefined;
  }
  override compareTo(other: PyObject): number | undefined {
    return other instanceof DateTime ? this.wallMs - other.wallMs : undefined;
  }
  override equals(other: Value): boolean {
    return other instanceof DateTime && other.wallMs === this.wallMs;
  }
  override text(): string {
    const { wallMs } = this;
    const micro = ((wallMs % 1000) + 1000) % 1000;
    return this.format("%Y-%m-%d %H:%M:%S") + (micro === 0 ? "" : `.${pad(Math.round(micro * 1000), 6)}`);
  }
  override json(): JsonValue {
    return this.text();
  }

  format(pattern: string): string {
    const d = this.#date;
    const hour = d.getUTCHours();
    const yearDay = Math.floor(
      (Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate()) - Date.UTC(d.getUTCFullYear(), 0, 1)) /
        86_400_000,
    );
    const values: Readonly<Record<string, () => string>> = {
      a: () => (days[d.getUTCDay()] ?? "").slice(0, 3),
      A: () => days[d.getUTCDay()] ?? "",
      b: () => (months[d.getUTCMonth()] ?? "").slice(0, 3),
      h: () => (months[d.getUTCMonth()] ?? "").slice(0, 3),
      B: () => months[d.getUTCMonth()] ?? "",
      c: () => this.format("%a %b %e %H:%M:%S %Y"),
      C: () => pad(Math.floor(d.getUTCFullYear() / 100)),
      d: () => pad(d.getUTCDate()),
      D: () => this.format("%m/%d/%y"),
      e: () => pad(d.getUTCDate(), 2, " "),
      f: () => pad(d.getUTCMilliseconds() * 1000, 6),
      F: () => this.format("%Y-%m-%d"),
      H: () => pad(hour),
      I: () => pad(hour % 12 || 12),
      j: () => pad(yearDay + 1, 3),
      m: () => pad(d.getUTCMonth() + 1),
      M: () => pad(d.getUTCMinutes()),
      n: () => "\n",
      p: () => (hour < 12 ? "AM" : "PM"),
      R: () => this.format("%H:%M"),
      s: () => String(Math.floor(this.#epochMs / 1000)),
      S: () => pad(d.getUTCSeconds()),
      t: () => "\t",
      T: () => this.format("%H:%M:%S"),
      u: () => String(d.getUTCDay() || 7),
      U: () => pad(Math.floor((yearDay + 7 - d.getUTCDay()) / 7)),
      V: () => pad(isoWeek(d).week),
      G: () => String(isoWeek(d).year),
      w: () => String(d.getUTCDay()),
      W: () => pad(Math.floor((yearDay + 7 - ((d.getUTCDay() + 6) % 7)) / 7)),
      x: () => this.format("%m/%d/%y"),
      X: () => this.format("%H:%M:%S"),
      y: () => pad(d.getUTCFullYear() % 100),
      Y: () => pad(d.getUTCFullYear(), 4),
      z: () => (this.offset === undefined ? "" : offsetText(this.offset)),
      Z: () => (this.offset === 0 ? "UTC" : ""),
      "%": () => "%",
    };
    return pattern.replace(/%-?([\s\S])/g, (whole, letter: string) => {
      if (!Object.hasOwn(values, letter)) return whole;
      const text = values[letter]?.() ?? "";
      return whole.startsWith("%-") ? text.replace(/^[0 ]+(?=.)/, "") : text;
    });
  }
}
const offsetText = (minutes: number): string =>
  `${minutes < 0 ? "-" : "+"}${pad(Math.floor(Math.abs(minutes) / 60))}${pad(Math.abs(minutes) % 60)}`;

function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(
    Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 4 - (date.getUTCDay() || 7)),
  );
  const year = thursday.getUTCFullYear();
  return { year, week: Math.ceil(((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7) };
}

export class TimeDelta extends PyObject {
  override readonly typeName = "timedelta";
  readonly ms: number;
  constructor(ms: number) {
    super();
    this.ms = ms;
  }
  override attribute(name: string): Value | undefined {
    if (name === "days") return Math.floor(this.ms / 86_400_000);
    if (name === "seconds")
      return Math.floor((this.ms - Math.floor(this.ms / 86_400_000) * 86_400_000) / 1000);
    return name === "microseconds" ? (((this.ms % 1000) + 1000) % 1000) * 1000 : undefined;
  }
  override method(name: string): Value | undefined {
    return name === "total_seconds" ? float(this.ms / 1000) : undefined;
  }
  override binary(operator: string, other: Value): Value | undefined {
    if (other instanceof TimeDelta && operator === "+") return new TimeDelta(this.ms + other.ms);
    if (other instanceof TimeDelta && operator === "-") return new TimeDelta(this.ms - other.ms);
    if (other === 0 && operator === "r-") return new TimeDelta(-this.ms);
    return isNumeric(other) && /^r?\*$/.test(operator) ? new TimeDelta(this.ms * toNumber(other)) : undefined;
  }
  override compareTo(other: PyObject): number | undefined {
    return other instanceof TimeDelta ? this.ms - other.ms : undefined;
  }
  override truth(): boolean {
    return this.ms !== 0;
  }
  override equals(other: Value): boolean {
    return other instanceof TimeDelta && other.ms === this.ms;
  }
  override text(): string {
    const whole = Math.floor(this.ms / 86_400_000);
    const rest = this.ms - whole * 86_400_000;
    const time = `${Math.floor(rest / 3_600_000)}:${pad(Math.floor(rest / 60_000) % 60)}:${pad(Math.floor(rest / 1000) % 60)}`;
    const micro = rest % 1000 === 0 ? "" : `.${pad(Math.round((rest % 1000) * 1000), 6)}`;
    return `${whole === 0 ? "" : `${whole} day${Math.abs(whole) === 1 ? "" : "s"}, `}${time}${micro}`;
  }
}

/** strptime for the directives in common use. */
export function parseDateTime(text: string, pattern: string): DateTime {
  const names: string[] = [];
  const patterns: Readonly<Record<string, string>> = {
    Y: "(\\d{4})",
    m: "(\\d{1,2})",
    d: "(\\d{1,2})",
    e: "\\s*(\\d{1,2})",
    H: "(\\d{1,2})",
    I: "(\\d{1,2})",
    M: "(\\d{1,2})",
    S: "(\\d{1,2})",
    f: "(\\d{1,6})",
    y: "(\\d{2})",
    b: "([A-Za-z]{3})",
    B: "([A-Za-z]+)",
    p: "([AaPp][Mm])",
    z: "([+-]\\d{2}:?\\d{2}|Z)",
    Z: "([A-Za-z]+)",
    j: "(\\d{1,3})",
    a: "([A-Za-z]{3})",
    A: "([A-Za-z]+)",
    s: "(\\d+)",
  };
  const full = pattern.replaceAll("%T", "%H:%M:%S").replaceAll("%F", "%Y-%m-%d").replaceAll("%D", "%m/%d/%y");
  const source = full.replace(/%([\s\S])|\s+|[\s\S]/g, (part: string, letter?: string) => {
    if (letter === undefined)
      return part.trim() === "" ? "\\s+" : part.replace(/[\\^$.*+?()[\]{}|/]/, "\\$&");
    if (letter === "%") return "%";
    const found = patterns[letter];
    if (found === undefined) throw new Fault(`to_datetime knows no "%${letter}"`);
    names.push(letter);
    return found;
  });
  const match = new RegExp(`^${source}$`).exec(text);
  if (match === null) throw new Fault(`"${text}" is no date of the form "${pattern}"`);
  return dateFrom(Object.fromEntries(names.map((name, index) => [name, match[index + 1] ?? ""])));
}

function dateFrom(fields: Readonly<Record<string, string>>): DateTime {
  const number = (name: string, usual: number): number =>
    fields[name] === undefined ? usual : Number(fields[name]);
  if (fields.s !== undefined) return makeDateTime(number("s", 0) * 1000, false);
  const month = fields.B ?? fields.b;
  const monthIndex =
    month === undefined
      ? number("m", 1) - 1
      : months.findIndex((name) => name.toLowerCase().startsWith(month.toLowerCase()));
  const half = fields.p?.toLowerCase();
  const hour = half === undefined ? number("H", 0) : (number("I", 12) % 12) + (half === "pm" ? 12 : 0);
  const short = number("y", 0);
  const year = fields.y === undefined ? number("Y", 1900) : short + (short < 69 ? 2000 : 1900);
  const ms = fields.f === undefined ? 0 : Number(fields.f.padEnd(6, "0")) / 1000;
  const day = fields.j === undefined ? number("d", number("e", 1)) : number("j", 1);
  const wall =
    Date.UTC(year, fields.j === undefined ? monthIndex : 0, day, hour, number("M", 0), number("S", 0)) + ms;
  return new DateTime(wall);
}
