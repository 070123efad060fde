import pLimit from "p-limit";

/** All of them, at most `limit` at once; every one is awaited before the first failure is thrown. */
export async function forEachAtMost<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const gate = pLimit(Math.max(1, limit));
  const results = await Promise.allSettled(items.map((item) => gate(() => work(item))));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
