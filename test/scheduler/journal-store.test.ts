import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { JournalStore, type JournalStoreOptions } from "../../src/scheduler/journal-store.ts";
import { testStoreContract } from "../support/store-contract.ts";

const opened: JournalStore[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((store) => store.close()));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "provision-journal-"));
  folders.push(folder);
  return folder;
}

async function open(options: JournalStoreOptions): Promise<JournalStore> {
  const store = await JournalStore.open(options);
  opened.push(store);
  return store;
}

async function reopen(store: JournalStore, options: JournalStoreOptions): Promise<JournalStore> {
  opened.splice(opened.indexOf(store), 1);
  await store.close();
  return await open(options);
}

const put = (key: string, value: string) => ({ op: "put" as const, key, value: Buffer.from(value) });

describe("a journal store", () => {
  testStoreContract(async () => open({ folder: await newFolder() }), 15);

  test("what was acknowledged is there after a restart", async () => {
    const folder = await newFolder();
    const store = await open({ folder });
    await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.commit([put(`/k/${index}`, `${index}`)])),
    );
    await store.commit([{ op: "delete", key: "/k/7" }, put("/k/8", "again")]);
    const again = await reopen(store, { folder });
    expect(await again.list("/k")).toHaveLength(99);
    expect(await again.get("/k/8")).toEqual({ value: Buffer.from("again"), version: 1 });
  });

  test("cut off at any byte, it opens with the commits that were whole", async () => {
    const folder = await newFolder();
    let store = await open({ folder });
    for (const value of ["one", "two", "three"])
      await store.commit([put("/a", value), put(`/${value}`, value)]);
    const whole = await readFile(join(folder, "journal"));
    for (let length = 0; length <= whole.length; length++) {
      opened.splice(0);
      await store.close();
      await writeFile(join(folder, "journal"), whole.subarray(0, length));
      store = await open({ folder });
      const value = (await store.get("/a"))?.value.toString();
      const names = await store.list("/");
      const expected = { one: ["a", "one"], two: ["a", "one", "two"], three: ["a", "one", "three", "two"] };
      expect(names).toEqual(value === undefined ? [] : expected[value as keyof typeof expected]);
      await store.commit([put("/after", "x")]);
    }
  });

  test("a torn end of zeros or rubbish is cut off and told; later commits stay", async () => {
    for (const rubbish of [Buffer.alloc(64), Buffer.from("rubbish and more"), Buffer.alloc(20, 255)]) {
      const folder = await newFolder();
      const lines: string[] = [];
      let store = await open({ folder });
      await store.commit([put("/a", "1")]);
      await reopen(store, { folder });
      const path = join(folder, "journal");
      await writeFile(path, Buffer.concat([await readFile(path), rubbish]));
      store = await reopen(opened.pop() as JournalStore, { folder, log: (line) => lines.push(line) });
      expect(lines.join()).toContain(`cutting off ${rubbish.length} bytes`);
      await store.commit([put("/b", "2")]);
      expect(await (await reopen(store, { folder })).list("/")).toEqual(["a", "b"]);
    }
  });

  test("a damaged record in the middle is an error, never a silent loss", async () => {
    const folder = await newFolder();
    const store = await open({ folder });
    for (const value of ["one", "two", "three"]) await store.commit([put("/a", value)]);
    opened.splice(0);
    await store.close();
    const path = join(folder, "journal");
    const bytes = await readFile(path);
    bytes[20] = 255 - (bytes[20] ?? 0);
    await writeFile(path, bytes);
    await expect(open({ folder })).rejects.toThrow(/the record at byte 8 is damaged/);
  });

  test("it is written anew when most of it is past", async () => {
    const folder = await newFolder();
    const options = { folder, compactFromBytes: 20_000 };
    const store = await open(options);
    await store.commit([put("/kept", "x")]);
    for (let turn = 0; turn < 200; turn++) await store.commit([put("/a", `${turn}`.padEnd(500, "."))]);
    expect((await stat(join(folder, "journal"))).size).toBeLessThan(25_000);
    const again = await reopen(store, options);
    expect((await again.get("/a"))?.version).toBe(199);
    expect(await again.list("/")).toEqual(["a", "kept"]);
  });

  test("two processes never use one folder; a lock that a dead one left does not count", async () => {
    const folder = await newFolder();
    await open({ folder });
    await expect(open({ folder })).rejects.toThrow(`process ${process.pid} uses it`);
    const other = await newFolder();
    await writeFile(join(other, "lock"), `${process.pid} 1`);
    await open({ folder: other });
  });
});
