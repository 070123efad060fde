/** Ids of apps and groups: paths of segments that are DNS labels. */
import type { AppId } from "./app.ts";

export const segmentPattern =
  "^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$";
const segment = new RegExp(`^(?:${segmentPattern.slice(1, -1)})$`);

/** Ids ending in these would hide parts of the REST interface. */
const reservedSegments: readonly string[] = ["restart", "tasks", "versions"];

export const root = "/";

/** "b" in "/a" is "/a/b"; "../c" in "/a" is "/c"; an absolute id stays. Empty segments go. */
export function absoluteId(id: string, base: AppId = root): AppId {
  const start = id.startsWith("/") ? [] : segmentsOf(base);
  const path: string[] = [...start];
  for (const part of segmentsOf(id)) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  return `/${path.join("/")}`;
}

export const segmentsOf = (id: string): string[] => id.split("/").filter((part) => part !== "");
export const isValidSegment = (part: string): boolean => segment.test(part);
export const parentOf = (id: AppId): AppId => `/${segmentsOf(id).slice(0, -1).join("/")}`;

/** True for the group itself and for everything below it. */
export const isWithin = (id: AppId, group: AppId): boolean =>
  group === root || id === group || id.startsWith(`${group}/`);

/** "a_b" of "/a/b": for task ids and the text form of /v2/tasks. */
export const safeId = (id: AppId): string => segmentsOf(id).join("_");

/** From the group's child down to the parent of `id`: every group that `id` lives in, below the root. */
export function ancestorsOf(id: AppId): readonly AppId[] {
  const parts = segmentsOf(id).slice(0, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
}

/** A task's id is the app's and 37 characters more; it names folders and containers, which take no more than 255. */
const maxIdLength = 218;

/** What is wrong with an id, in Marathon's words. Empty: nothing. */
export function idErrors(id: string): readonly string[] {
  const parts = segmentsOf(id);
  if (id.length > maxIdLength) return [`must not be longer than ${maxIdLength} characters`];
  if (parts.length === 0) return ["must not be root"];
  if (!parts.every(isValidSegment)) return [`must fully match regular expression '${segmentPattern}'`];
  if (reservedSegments.includes(parts.at(-1) ?? ""))
    return [`must not end with any of the reserved identifiers: ${reservedSegments.join(", ")}`];
  return [];
}
