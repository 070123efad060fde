/** The kinds of values that a daemon's flags take, and how each is read. */
export interface Kind<T> {
  /** Undefined when the text is no such value. */
  readonly read: (text: string) => T | undefined;
  readonly wanted: string;
  readonly example: string;
}

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  secs: 1000,
  mins: 60_000,
  hrs: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
};
const unitBytes: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1024,
  MB: 1024 ** 2,
  GB: 1024 ** 3,
  TB: 1024 ** 4,
};

const withUnit =
  (units: Readonly<Record<string, number>>) =>
  (text: string): number | undefined => {
    const [, number, unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/.exec(text.trim()) ?? [];
    const factor = units[unit];
    return number === undefined || factor === undefined ? undefined : Number(number) * factor;
  };

/** `10secs`, `1.5mins`, `250ms` → milliseconds. */
const parseDurationMs = withUnit(unitMs);

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  "1": true,
  "": true,
  false: false,
  "0": false,
};

export const flagKinds = {
  text: { read: (text: string) => text, wanted: "a text", example: "VALUE" } satisfies Kind<string>,
  boolean: {
    read: (text: string) => booleans[text.trim()],
    wanted: "true or false",
    example: "true",
  } satisfies Kind<boolean>,
  integer: {
    read: (text: string) => (/^\d{1,15}$/.test(text.trim()) ? Number(text) : undefined),
    wanted: "a whole number",
    example: "3",
  } satisfies Kind<number>,
  number: {
    read: (text: string) => (/^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : undefined),
    wanted: "a number",
    example: "0.5",
  } satisfies Kind<number>,
  duration: {
    read: parseDurationMs,
    wanted: "a duration (ns, us, ms, secs, mins, hrs, days, weeks)",
    example: "10secs",
  } satisfies Kind<number>,
  bytes: {
    read: withUnit(unitBytes),
    wanted: "a size (B, KB, MB, GB, TB)",
    example: "2GB",
  } satisfies Kind<number>,
} as const;

export type FlagKind = keyof typeof flagKinds;
export type KindValue<K extends FlagKind> = NonNullable<ReturnType<(typeof flagKinds)[K]["read"]>>;
