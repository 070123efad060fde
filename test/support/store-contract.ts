import { expect, test } from "vitest";
import { type Store, StoreConflict, type StoreOperation } from "../../src/scheduler/store.ts";
import fc from "./property.ts";

const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

const put = (key: string, value: string, version?: number): StoreOperation => ({
  op: "put",
  key,
  value: Buffer.from(value),
  ...(version === undefined ? {} : { version }),
});
const remove = (key: string, version?: number): StoreOperation => ({
  op: "delete",
  key,
  ...(version === undefined ? {} : { version }),
});

const keys = ["/a", "/a/b", "/a/b/c", "/a/d", "/e", "/f/g/h"] as const;
const operation = fc.oneof(
  fc
    .record({ key: fc.constantFrom(...keys), value: fc.string({ maxLength: 8 }) })
    .map(({ key, value }): StoreOperation => put(key, value)),
  fc.constantFrom(...keys).map((key): StoreOperation => remove(key)),
);
const commit = fc.uniqueArray(operation, { selector: ({ key }) => key, minLength: 1, maxLength: 4 });

/** What every Store promises, whatever it is made of. `open` gives an empty one each time. */
export function testStoreContract(open: () => Promise<Store>, numRuns: number): void {
  testRefusals(open);

  test("what was put is there, with a version that counts from 0", async () => {
    const store = await open();
    await store.commit([put("/apps/www", "one")]);
    expect(await store.get("/apps/www")).toMatchObject({ version: 0 });
    await store.commit([put("/apps/www", "two")]);
    const found = await store.get("/apps/www");
    expect([text(found?.value), found?.version]).toEqual(["two", 1]);
    expect(await store.get("/apps")).toBeUndefined();
    expect(await store.list("/")).toEqual(["apps"]);
    expect(await store.list("/apps")).toEqual(["www"]);
    expect(await store.list("/nothing")).toEqual([]);
  });

  test("values of any bytes and of megabytes come back as they were", async () => {
    const store = await open();
    const noise = new Uint8Array(3_000_000);
    for (let at = 0; at < noise.length; at++) noise[at] = (Math.imul(at, 2_654_435_761) >>> 13) & 255;
    const values: Record<string, Uint8Array> = {
      "/empty": new Uint8Array(),
      "/zero": Uint8Array.of(0),
      "/marks": Uint8Array.of(2, 123, 125),
      "/text": Buffer.from("{}".repeat(100_000)),
      "/noise": noise,
    };
    for (const [key, value] of Object.entries(values)) await store.commit([{ op: "put", key, value }]);
    await store.commit(
      Object.entries(values).map(([key, value]) => ({ op: "put", key: `/again${key}`, value })),
    );
    for (const [key, value] of Object.entries(values)) {
      expect(Buffer.compare((await store.get(key))?.value ?? Buffer.from("?"), value)).toBe(0);
      expect(Buffer.compare((await store.get(`/again${key}`))?.value ?? Buffer.from("?"), value)).toBe(0);
    }
    await store.commit([put("/noise", "small"), remove("/again/noise")]);
    expect(text((await store.get("/noise"))?.value)).toBe("small");
    expect(await store.list("/")).toEqual(["again", "empty", "marks", "noise", "text", "zero"]);
  });

  test("any run of commits leaves what a plain map would hold", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(commit, { maxLength: 8 }), async (commits) => {
        const store = await open();
        const model = new Map<string, string>();
        for (const operations of commits) {
          await store.commit(operations);
          for (const each of operations) {
            if (each.op === "put") model.set(each.key, text(each.value) ?? "");
            else model.delete(each.key);
          }
        }
        for (const key of keys) expect(text((await store.get(key))?.value)).toBe(model.get(key));
        for (const folder of ["/", "/a", "/a/b", "/f", "/f/g"]) {
          expect(await store.list(folder)).toEqual(childrenIn(model, folder));
        }
      }),
      { numRuns },
    );
  });
}

function testRefusals(open: () => Promise<Store>): void {
  test("a wrong version fails the whole commit", async () => {
    const store = await open();
    await store.commit([put("/a", "1"), put("/b", "1")]);
    for (const bad of [
      put("/b", "2", 1),
      put("/b", "2", -1),
      put("/c", "2", 0),
      remove("/b", 4),
      remove("/c", 0),
    ]) {
      await expect(store.commit([put("/a", "2"), bad])).rejects.toThrow(StoreConflict);
    }
    expect(text((await store.get("/a"))?.value)).toBe("1");
    await store.commit([put("/b", "2", 0), put("/c", "new", -1), remove("/a", 0)]);
    expect(await store.list("/")).toEqual(["b", "c"]);
  });

  test("no key, or a key twice, is refused before anything is written", async () => {
    const store = await open();
    for (const key of ["a", "/", "/a/", "/a//b", "/.parts", "/a/../b"]) {
      await expect(store.commit([put("/ok", "1"), put(key, "1")])).rejects.toThrow(TypeError);
    }
    await expect(store.commit([put("/a", "1"), remove("/a")])).rejects.toThrow(TypeError);
    expect(await store.list("/")).toEqual([]);
  });
}

function childrenIn(model: ReadonlyMap<string, string>, folder: string): string[] {
  const prefix = folder === "/" ? "/" : `${folder}/`;
  const names = [...model.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length).split("/")[0] ?? "");
  return [...new Set(names)].sort();
}
