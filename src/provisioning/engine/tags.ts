/** Which tasks --tags and --skip-tags choose. */
export interface TagChoice {
  /** Empty means all. */
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

export function isChosen(tags: readonly string[], { only, skip }: TagChoice): boolean {
  return isWanted(tags, only.length === 0 ? ["all"] : only) && !isSkipped(tags, skip);
}

function isWanted(tags: readonly string[], only: readonly string[]): boolean {
  if (tags.some((tag) => only.includes(tag))) return true;
  if (tags.includes("always")) return true;
  if (tags.includes("never")) return false;
  if (only.includes("all")) return true;
  return tags.length === 0 ? only.includes("untagged") : only.includes("tagged");
}

function isSkipped(tags: readonly string[], skip: readonly string[]): boolean {
  if (skip.includes("all")) return !tags.includes("always") || skip.includes("always");
  if (tags.some((tag) => skip.includes(tag))) return true;
  return skip.includes(tags.length === 0 ? "untagged" : "tagged");
}
