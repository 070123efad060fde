/**
 * A time limit for regular expressions: several repetitions may take time without end on a text that a host chose, and
 * even one goes through a long text again and again. Only these are limited, as the limit costs more than most matches.
 */
import { withinTime } from "./within-time.ts";

export const regexpLimitMs = 500;
const repetitions = /[*+]|\{\d+|\?(?=[^:=!<P])/g;
const harmlessChars = 2000;
const shortChars = 16;

export type Bounded<T> = { readonly made: T; readonly cpuMs: number } | { readonly refused: string };

/** `work` matches these expressions against texts of so many characters, and does not mind beginning again. */
export function boundedRegexps<T>(sources: readonly string[], chars: number, work: () => T): Bounded<T> {
  const slow = sources.filter((source) => mayTakeLong(source, chars));
  if (slow.length === 0) return { made: work(), cpuMs: 0 };
  const done = withinTime(regexpLimitMs, work);
  if ("made" in done) return done;
  const named = slow.map((source) => `"${source}"`).join(" or ");
  return {
    refused: `the regular expression ${named} takes more than ${regexpLimitMs} ms on this text: its repetitions multiply`,
  };
}

function mayTakeLong(source: string, chars: number): boolean {
  const count = source.match(repetitions)?.length ?? 0;
  return count > 0 && chars >= (count === 1 ? harmlessChars : shortChars);
}
