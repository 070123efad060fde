/** What is left of one agent's offers while instances are being placed on it. Lives only as long as one decision. */
import type { Random } from "../../../base/clock.ts";
import type { Offer } from "../../mesos/protocol/offer.ts";
import type { Resource } from "../../mesos/protocol/resource.ts";
import { type AppPort, type AppSpec, portsOf } from "../model/app.ts";
import { attributeTexts, type Place } from "./constraints.ts";

export type Rejection =
  | "UnfulfilledRole"
  | "UnfulfilledConstraint"
  | "InsufficientCpus"
  | "InsufficientMemory"
  | "InsufficientDisk"
  | "InsufficientGpus"
  | "InsufficientPorts"
  | "SpreadingOut";

export interface Taken {
  readonly resources: readonly Resource[];
  readonly hostPorts: readonly (number | null)[];
  readonly role: string;
}

interface ScalarLeft {
  readonly from: Resource;
  readonly role: string;
  milli: number;
}
interface PortsLeft {
  readonly from: Resource;
  readonly role: string;
  ranges: { begin: number; end: number }[];
}

const scalarNames = [
  ["cpus", "cpus", "InsufficientCpus"],
  ["mem", "mem", "InsufficientMemory"],
  ["disk", "disk", "InsufficientDisk"],
  ["gpus", "gpus", "InsufficientGpus"],
] as const;

export class AgentPool implements Place {
  readonly agentId: string;
  readonly host: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly offerIds: string[] = [];
  /** What is left, for comparing agents: in thousandths. */
  freeCpus = 0;
  readonly #scalars: ScalarLeft[] = [];
  readonly #ports: PortsLeft[] = [];

  constructor(offer: Offer) {
    this.agentId = offer.agent_id.value;
    this.host = offer.hostname;
    this.attributes = attributeTexts(offer.attributes ?? []);
  }

  add(offer: Offer): void {
    this.offerIds.push(offer.id.value);
    for (const resource of offer.resources) {
      if (!isPlain(resource)) continue;
      const role = roleOf(resource);
      if (resource.scalar !== undefined) {
        const milli = Math.round(resource.scalar.value * 1000);
        this.#scalars.push({ from: resource, role, milli });
        if (resource.name === "cpus") this.freeCpus += milli;
      } else if (resource.name === "ports" && resource.ranges !== undefined) {
        const ranges = resource.ranges.range.map(({ begin, end }) => ({ begin, end }));
        this.#ports.push({ from: resource, role, ranges });
      }
    }
  }

  /** Takes what one instance needs, or nothing and says what is missing. */
  take(app: AppSpec, roles: ReadonlySet<string>, random: Random): Taken | Rejection {
    if (!this.#scalars.some(({ role }) => roles.has(role))) return "UnfulfilledRole";
    for (const [field, name, rejection] of scalarNames) {
      if (this.#free(name, roles) < Math.round(app[field] * 1000)) return rejection;
    }
    const hostPorts = this.#choosePorts(portsOf(app), roles, random);
    if (hostPorts === undefined) return "InsufficientPorts";
    const resources = scalarNames.flatMap(([field, name]) =>
      this.#takeScalar(name, Math.round(app[field] * 1000), roles),
    );
    resources.push(...this.#takePorts(hostPorts));
    return { resources, hostPorts, role: resources[0]?.role ?? "*" };
  }

  #free(name: string, roles: ReadonlySet<string>): number {
    return this.#scalars.reduce(
      (sum, { from, role, milli }) => sum + (from.name === name && roles.has(role) ? milli : 0),
      0,
    );
  }

  /** Reserved resources first: nobody else could use them. */
  #takeScalar(name: string, need: number, roles: ReadonlySet<string>): Resource[] {
    const taken: Resource[] = [];
    let missing = need;
    const usable = this.#scalars.filter(({ from, role }) => from.name === name && roles.has(role));
    for (const left of usable.sort((a, b) => Number(a.role === "*") - Number(b.role === "*"))) {
      const part = Math.min(missing, left.milli);
      if (part <= 0) continue;
      left.milli -= part;
      if (name === "cpus") this.freeCpus -= part;
      missing -= part;
      taken.push({ ...left.from, scalar: { value: part / 1000 } });
    }
    return taken;
  }

  /** Random ones where any will do: a port that has just become free may still be in somebody's routes. */
  #choosePorts(
    ports: readonly AppPort[],
    roles: ReadonlySet<string>,
    random: Random,
  ): readonly (number | null)[] | undefined {
    const usable = this.#ports.filter(({ role }) => roles.has(role));
    const chosen = new Set(ports.flatMap(({ hostPort }) => (hostPort ? [hostPort] : [])));
    const result: (number | null)[] = [];
    for (const { hostPort } of ports) {
      if (hostPort === undefined) {
        result.push(null);
        continue;
      }
      const port = hostPort === 0 ? freePort(usable, chosen, random) : hostPort;
      if (port === undefined || !usable.some(({ ranges }) => holds(ranges, port))) return undefined;
      chosen.add(port);
      result.push(port);
    }
    return result;
  }

  #takePorts(hostPorts: readonly (number | null)[]): Resource[] {
    const bySource = new Map<PortsLeft, number[]>();
    for (const port of hostPorts) {
      if (port === null) continue;
      const source = this.#ports.find(({ ranges }) => holds(ranges, port));
      if (source === undefined) continue;
      source.ranges = source.ranges.flatMap((range) => without(range, port));
      bySource.set(source, [...(bySource.get(source) ?? []), port]);
    }
    return [...bySource].map(([{ from }, ports]) => ({
      ...from,
      ranges: { range: ports.map((port) => ({ begin: port, end: port })) },
    }));
  }
}

/** Neither revocable, nor a volume, nor reserved by an operation of somebody's: free to use. */
const isPlain = (resource: Resource): boolean =>
  resource.revocable === undefined &&
  resource.disk === undefined &&
  resource.shared === undefined &&
  resource.reservation === undefined &&
  !(resource.reservations ?? []).some(({ type }) => type === "DYNAMIC");

const roleOf = (resource: Resource): string => resource.reservations?.at(-1)?.role ?? resource.role ?? "*";

type Ranges = readonly { readonly begin: number; readonly end: number }[];

const holds = (ranges: Ranges, port: number): boolean =>
  ranges.some(({ begin, end }) => begin <= port && port <= end);

function freePort(
  sources: readonly PortsLeft[],
  taken: ReadonlySet<number>,
  random: Random,
): number | undefined {
  const ranges = sources.flatMap((source) => source.ranges);
  const total = ranges.reduce((sum, { begin, end }) => sum + end - begin + 1, 0);
  if (total === 0) return undefined;
  let skip = Math.floor(random() * total);
  for (let round = 0; round < 2; round += 1) {
    for (const { begin, end } of ranges) {
      const size = end - begin + 1;
      for (let port = begin + skip; port <= end; port += 1) if (!taken.has(port)) return port;
      skip = Math.max(0, skip - size);
    }
    skip = 0;
  }
  return undefined;
}

function without({ begin, end }: { begin: number; end: number }, port: number) {
  if (port < begin || port > end) return [{ begin, end }];
  return [
    { begin, end: port - 1 },
    { begin: port + 1, end },
  ].filter((range) => range.begin <= range.end);
}
