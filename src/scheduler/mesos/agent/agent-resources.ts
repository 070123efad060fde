/** What an agent offers: what its flags say, and for the rest what the host has, less what the host itself needs. */

import { statfs } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { ProvisionError } from "../../../base/errors.ts";
import type { Attribute } from "../protocol/resource.ts";
import { parseResources, type Resources } from "../protocol/resources.ts";

const mb = 1024 * 1024;
const keptMemMb = 1024;
const keptDiskMb = 5 * 1024;
const usualPorts = "ports:[31000-32000]";

/** A gigabyte (of disk: five) stays with the host, or half where there is not even twice as much. */
const lessKept = (total: number, kept: number): number =>
  total > 2 * kept ? total - kept : Math.floor(total / 2);

export async function detectResources(given: string, workDir: string): Promise<Resources> {
  const stated = parseResources(given);
  const names = new Set([...stated.entries].map(({ name }) => name));
  const disk = await statfs(workDir);
  const detected = [
    `cpus:${availableParallelism()}`,
    `mem:${lessKept(Math.floor(totalmem() / mb), keptMemMb)}`,
    `disk:${lessKept(Math.floor((disk.blocks * disk.bsize) / mb), keptDiskMb)}`,
    usualPorts,
  ].filter((part) => !names.has(part.slice(0, part.indexOf(":"))));
  return stated.plus(parseResources(detected.join(";")));
}

export interface Offering {
  readonly resources: Resources;
  readonly attributes: readonly Attribute[];
}

/** An agent that keeps its id keeps what it offers; `additive` allows more, never less. */
export function checkCompatible(before: Offering, now: Offering, policy: "equal" | "additive"): void {
  const attributesBefore = new Set(before.attributes.map((attribute) => JSON.stringify(attribute)));
  const attributesNow = new Set(now.attributes.map((attribute) => JSON.stringify(attribute)));
  const keepsAttributes = [...attributesBefore].every((attribute) => attributesNow.has(attribute));
  const isCompatible =
    policy === "additive"
      ? now.resources.contains(before.resources) && keepsAttributes
      : now.resources.equals(before.resources) &&
        keepsAttributes &&
        attributesNow.size === attributesBefore.size;
  if (isCompatible) return;
  throw new ProvisionError({
    code: "incompatible-agent",
    action: "start the agent under its id",
    state: `Incompatible agent info: it had ${before.resources} and attributes ${describe(before.attributes)}, now it has ${now.resources} and ${describe(now.attributes)}`,
    why: "running tasks and outstanding offers count on what the agent had",
    fix:
      policy === "equal" && now.resources.contains(before.resources) && keepsAttributes
        ? "--reconfiguration_policy=additive accepts this change"
        : "drain the agent, then remove meta/agent.json in its work_dir: it starts under a new id",
  });
}

const describe = (attributes: readonly Attribute[]): string =>
  attributes.length === 0 ? "none" : attributes.map(({ name }) => name).join(", ");
