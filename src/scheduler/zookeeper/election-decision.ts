/** Who leads, decided from names alone. Contenders are ephemeral sequential nodes: `<prefix><ten digits>`. */
export type ElectionDecision =
  /** Our node is not there (any more): stand (again). */
  | { readonly role: "absent" }
  | { readonly role: "leader" }
  /** Somebody stands before us: wait for that node to vanish. */
  | { readonly role: "follower"; readonly predecessor: string };

/** Contenders' names in order of their sequence, the leader first. Other names are left out. */
export function sortContenders(names: readonly string[], prefix: string): readonly string[] {
  return names
    .flatMap((name) => {
      const sequence = sequenceOf(name, prefix);
      return sequence === undefined ? [] : [{ name, sequence }];
    })
    .sort((left, right) => left.sequence - right.sequence)
    .map(({ name }) => name);
}

function sequenceOf(name: string, prefix: string): number | undefined {
  const match = name.startsWith(prefix) ? /^-?\d{10,}$/.exec(name.slice(prefix.length)) : null;
  return match === null ? undefined : Number(match[0]);
}

export function decideElection(
  names: readonly string[],
  own: string | undefined,
  prefix: string,
): ElectionDecision {
  const contenders = sortContenders(names, prefix);
  const place = own === undefined ? -1 : contenders.indexOf(own);
  if (place < 0) return { role: "absent" };
  const predecessor = contenders[place - 1];
  return predecessor === undefined ? { role: "leader" } : { role: "follower", predecessor };
}

/**
 * Until when a leader may act, by its own clock. `provenAt` is when it sent the newest request that a majority of the
 * servers has agreed to. They keep its session for the whole time after that; the last third is left for what a
 * leader has under way, for their clocks, and for sessions touched through a server that tells the others late.
 */
export const leaderUntil = (provenAt: number, sessionTimeoutMs: number): number =>
  provenAt + (sessionTimeoutMs * 2) / 3;

/** How often a leader asks for that proof: several may be lost before it must step down. */
export const proofIntervalMs = (sessionTimeoutMs: number): number => sessionTimeoutMs / 6;
