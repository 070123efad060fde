/**
 * What tasks register, by Debian's ansible-playbook and by us on local connections: every key that Ansible's result has
 * is in ours, of the same type, and says the same of changed, failed and skipped. What is left out stands here, with why.
 * Ansible's are recorded, as it takes a minute for them: PROVISION_UPDATE=1 asks it anew.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/base/json.ts";
import { newFolder, runText } from "../../support/run-playbook.ts";

const isRecording = process.env["PROVISION_UPDATE"] !== undefined;
const recordFile = join(import.meta.dirname, "../../cases/results.ansible.json");

/** Keys that ours has not, by "task: key", with the reason. */
const leftOut: readonly (readonly [RegExp, string])[] = [
  [
    /: (\S+\.)?(invocation|warnings|deprecations|secontext|exception|_ansible_\w+)$/,
    "of Ansible's own making",
  ],
  [
    /^(file|copy|template|lineinfile|blockinfile|replace|known_hosts).*: (\S+\.)?diff$/,
    "a diff is made where one is shown",
  ],
  [/^(copy|get_url)[^:]*: src$/, "a temporary file of Ansible's"],
  [/^shell as a job: results_file$/, "Ansible's own bookkeeping"],
  [/^unarchive[^:]*: handler$/, "a class of Ansible's"],
  [/^get_url of nothing: (uid|gid|owner|group|mode|size|state)$/, "of a file that is not there"],
];

/** YAML mappings of one entry, with the task below. */
const cases: readonly (readonly [string, JsonObject])[] = (
  parse(readFileSync(join(import.meta.dirname, "../../cases/results.yml"), "utf8")) as JsonObject[]
).flatMap((entry) =>
  Object.entries(entry).flatMap(([name, given]) => {
    const { again, ...task } = given as JsonObject;
    return [[name, task] as const, ...(again === true ? [[`${name}, again`, task] as const] : [])];
  }),
);

function playbook(dest: string): string {
  const tasks = cases.map(([name, task], at) => ({ ...task, name, register: `r${at}`, ignore_errors: true }));
  const all = cases.map((_, at) => `"${at}": r${at}`).join(", ");
  const write = { name: "write", copy: { content: `{{ {${all}} | to_json }}`, dest } };
  return JSON.stringify([{ hosts: "all", gather_facts: false, tasks: [...tasks, write] }]);
}

let server: Server;
let dir = "";
const portOf = (): number => (server.address() as AddressInfo).port;

const varsOf = (who: string): string[] => [
  `d=${join(dir, who)}`,
  `c=${join(dir, "controller")}`,
  `port=${portOf()}`,
  `url=http://127.0.0.1:${portOf()}`,
];

function makeController(): void {
  const at = (name: string) => join(dir, "controller", name);
  mkdirSync(at("tree"), { recursive: true });
  writeFileSync(at("script.sh"), '#!/bin/sh\necho "$1"\n', { mode: 0o755 });
  writeFileSync(at("vars.yml"), "read: 1\n");
  writeFileSync(at("t.j2"), "{{ 1 + 1 }}\n");
  for (const name of ["a", "b"]) writeFileSync(at(`tree/${name}`), `${name}\n`);
  execFileSync("tar", ["-czf", at("tree.tgz"), "-C", at("."), "tree"]);
}

async function byAnsible(): Promise<JsonObject> {
  const folder = join(dir, "ansible");
  mkdirSync(folder);
  const file = join(dir, "ansible.yml");
  const results = join(dir, "ansible.json");
  writeFileSync(file, playbook(results));
  const vars = varsOf("ansible").flatMap((pair) => ["-e", pair]);
  const env = { ...process.env, ANSIBLE_PIPELINING: "1", ANSIBLE_RETRY_FILES_ENABLED: "0" };
  const argv = [
    "-i",
    "a,",
    "-c",
    "local",
    "-e",
    "ansible_python_interpreter=/usr/bin/python3",
    ...vars,
    file,
  ];
  const child = spawn("ansible-playbook", argv, { env, stdio: "ignore" });
  await once(child, "close");
  return JSON.parse(readFileSync(results, "utf8")) as JsonObject;
}

async function byUs(): Promise<JsonObject> {
  mkdirSync(join(dir, "ours"));
  const results = join(dir, "ours.json");
  await runText({ playbook: playbook(results), extraVars: varsOf("ours") });
  return JSON.parse(readFileSync(results, "utf8")) as JsonObject;
}

/** A type; of an object its members', of a list its first item's. */
type Shape = string | readonly Shape[] | { readonly [key: string]: Shape };
interface Recorded {
  readonly verdict: JsonObject;
  readonly shape: Shape;
}

function shapeOf(value: JsonValue): Shape {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (!isJsonObject(value)) return value === null ? "null" : typeof value;
  const kept = Object.entries(value).filter(([key]) => !/^(invocation|warnings|deprecations)$/.test(key));
  return Object.fromEntries(kept.map(([key, member]) => [key, shapeOf(member)]));
}

const kindOf = (shape: Shape | undefined): string =>
  typeof shape === "string"
    ? shape
    : Array.isArray(shape)
      ? "list"
      : shape === undefined
        ? "nothing"
        : "object";

/** What ours lacks or has of another type, as "key: what". */
function lacks(theirs: Shape, own: Shape | undefined, key: string): string[] {
  if (kindOf(theirs) !== kindOf(own)) return [`${key}: ${kindOf(theirs)}, not ${kindOf(own)}`];
  if (typeof theirs === "string" || typeof own === "string" || own === undefined) return [];
  return Object.entries(theirs).flatMap(([name, shape]) =>
    lacks(shape, (own as Readonly<Record<string, Shape>>)[name], key === "" ? name : `${key}.${name}`),
  );
}

const isLeftOut = (title: string, lack: string): boolean =>
  leftOut.some(([pattern]) => pattern.test(`${title}: ${lack.slice(0, lack.lastIndexOf(": "))}`));

const verdict = (result: JsonValue | undefined): JsonObject => {
  const { changed, failed, skipped } = isJsonObject(result) ? result : {};
  return { changed: changed === true, failed: Boolean(failed), skipped: skipped === true };
};

const recordOf = (results: JsonObject): Record<string, Recorded> =>
  Object.fromEntries(
    cases.map(([name], at) => {
      const result = results[String(at)] ?? null;
      return [name, { verdict: verdict(result), shape: shapeOf(result) }];
    }),
  );

/** A case a line. */
const recordText = (record: Record<string, Recorded>): string =>
  `{\n${Object.entries(record)
    .map(([name, recorded]) => `${JSON.stringify(name)}: ${JSON.stringify(recorded)}`)
    .join(",\n")}\n}\n`;

describe("registered results", () => {
  let theirs: Readonly<Record<string, Recorded>> = {};
  let own: Readonly<Record<string, Recorded>> = {};
  beforeAll(async () => {
    dir = newFolder();
    makeController();
    server = createServer((request, response) => {
      response.writeHead(request.url === "/nope" ? 404 : 200, { "Content-Type": "text/plain" });
      response.end("hello\n");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    if (isRecording) writeFileSync(recordFile, recordText(recordOf(await byAnsible())));
    theirs = JSON.parse(readFileSync(recordFile, "utf8"));
    own = recordOf(await byUs());
  }, 300_000);
  afterAll(() => {
    server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test("are recorded of each case", () => {
    expect(Object.keys(theirs)).toEqual(cases.map(([name]) => name));
  });

  test.each(cases.map(([name]) => name))("%s", (name) => {
    const missing = lacks(theirs[name]?.shape ?? "null", own[name]?.shape, "");
    expect(missing.filter((lack) => !isLeftOut(name, lack))).toEqual([]);
    expect(own[name]?.verdict).toEqual(theirs[name]?.verdict);
  });
});
