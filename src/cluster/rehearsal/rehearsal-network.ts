/** A network of the rehearsal's own with fixed addresses, so that a host that is stopped and started keeps its own. */
import { runProgram } from "../runtime/run-program.ts";

export interface RehearsalNetwork {
  readonly name: string;
  /** The n-th host's address, from 0. */
  address(n: number): string;
}

/** Private /24 networks that are tried in turn until Docker finds one that nothing else uses. */
const candidates = Array.from(
  { length: 40 },
  (_, n) => `10.${213 + Math.floor(n / 20)}.${10 * (n % 20) + 1}`,
);
const firstHost = 11;

export async function createNetwork(
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<RehearsalNetwork> {
  const labelArgs = Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  let refusal: unknown;
  for (const prefix of candidates) {
    try {
      await runProgram("docker", ["network", "create", "--subnet", `${prefix}.0/24`, ...labelArgs, name]);
      return { name, address: (n) => `${prefix}.${firstHost + n}` };
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}
