/**
 * The list of agents, kept through a Store: `/agents/<agent id>` holds one agent's record as JSON (in ZooKeeper, with
 * the store rooted at `<chroot>/registry`: `/mesos/registry/agents/<agent id>`). Records are written one after another
 * with the version last seen, so that a master of the past cannot overwrite its successor.
 */
import { z } from "zod";
import type { Store, StoredValue } from "../../store.ts";
import { parseWire } from "../protocol/wire.ts";
import type { AgentRecord } from "./cluster-state.ts";

const recordSchema = z.object({
  id: z.string(),
  hostname: z.string(),
  ip: z.string(),
  port: z.number(),
  standing: z.enum(["admitted", "unreachable", "gone"]),
  since: z.number(),
});

const folder = "/agents";
/** Reads at once, when the records are loaded. */
const parallelReads = 64;

export class Registrar {
  readonly #store: Store;
  readonly #known = new Set<string>();
  #last: Promise<void> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  async load(): Promise<AgentRecord[]> {
    const names = await this.#store.list(folder);
    const records: AgentRecord[] = [];
    for (let at = 0; at < names.length; at += parallelReads) {
      const part = names.slice(at, at + parallelReads);
      const values = await Promise.all(part.map((name) => this.#store.get(`${folder}/${name}`)));
      values.forEach((value, index) => {
        if (value !== undefined) records.push(decode(part[index] ?? "", value));
      });
    }
    for (const { id } of records) this.#known.add(id);
    return records.sort((a, b) => a.since - b.since);
  }

  /** Rejects when it is not written; nothing is written after that. */
  write(record: AgentRecord): Promise<void> {
    return this.#next(async () => {
      const key = `${folder}/${record.id}`;
      const value = new TextEncoder().encode(JSON.stringify(record));
      const version = this.#known.has(record.id) ? (await this.#store.get(key))?.version : undefined;
      await this.#store.commit([{ op: "put", key, value, ...(version === undefined ? {} : { version }) }]);
      this.#known.add(record.id);
    });
  }

  forget(agentId: string): Promise<void> {
    return this.#next(async () => {
      const key = `${folder}/${agentId}`;
      const found = await this.#store.get(key);
      if (found !== undefined) await this.#store.commit([{ op: "delete", key, version: found.version }]);
      this.#known.delete(agentId);
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(work);
    this.#last = next;
    // Whoever asked for the write hears of it by `next`; the chain alone must not bring the process down.
    next.catch(() => undefined);
    return next;
  }
}

function decode(name: string, { value }: StoredValue): AgentRecord {
  try {
    return parseWire(recordSchema, JSON.parse(new TextDecoder().decode(value)));
  } catch (cause) {
    throw new Error(`${folder}/${name} cannot be understood: ${String(cause)}`, { cause });
  }
}
