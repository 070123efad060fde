import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { catalogue } from "../../../src/provisioning/modules/index.ts";
import { loadPlaybook } from "../../../src/provisioning/playbook/load-playbook.ts";
import type { Block, Play, Statement, Task } from "../../../src/provisioning/playbook/model.ts";
import type { MapNode } from "../../../src/provisioning/source/node.ts";
import { toPlain } from "../../../src/provisioning/source/to-plain.ts";
import fc from "../../support/property.ts";

const folder = join(import.meta.dirname, "../../cases/playbook/good");
const options = { catalogue, rolesPath: [] };
const { plays } = loadPlaybook(join(folder, "site.yml"), options);
const [inner, old] = plays as [Play, Play];

const plain = (map: MapNode | undefined) => (map === undefined ? undefined : toPlain(map));
const taskAt = (at: number): Task => {
  const statement = old.tasks[at];
  if (statement?.kind !== "task") throw new Error(`number ${at} is ${statement?.kind}`);
  return statement;
};
const blockAt = (at: number): Block => {
  const statement = old.tasks[at];
  if (statement?.kind !== "block") throw new Error(`number ${at} is ${statement?.kind}`);
  return statement;
};
const messages = (statements: readonly Statement[]): unknown[] =>
  statements.flatMap((each) =>
    each.kind === "block" ? messages(each.block) : each.kind === "task" ? [plain(each.args.map)] : [],
  );

describe("a playbook", () => {
  test("that is imported inherits tags, when and vars", () => {
    expect(inner.tags).toEqual(["imported", "inner"]);
    expect(inner.when.map(({ expression }) => expression)).toEqual(["run_it"]);
    expect(plain(inner.vars)).toEqual({ shared: "outer", more: 1, own: 1 });
  });

  test("in old spellings is understood", () => {
    expect(old.become).toMatchObject({ value: true });
    expect(old.becomeUser).toMatchObject({ value: "app" });
    expect(old.remoteUser).toMatchObject({ value: "deploy" });
    expect(plain(old.vars)).toEqual({ a: 1, b: 2 });
    expect(old.varsFiles).toHaveLength(2);
    expect(old.varsPrompt).toMatchObject([
      { name: "secret", prompt: "Which?", private: true },
      { name: "open", private: false, prompt: "input for open" },
    ]);
  });

  test("has its roles after what they depend on, and each once", () => {
    expect(old.roles.map(({ role, tags, params }) => [role.name, tags, plain(params)])).toEqual([
      ["common", ["x", "y"], undefined],
      ["base", ["x", "y"], { level: 2 }],
      ["common", ["x", "y"], undefined],
      ["app", ["x", "y"], { app_port: 80 }],
      ["common", [], undefined],
      ["base", [], undefined],
    ]);
    expect(old.roles[0]?.when.map(({ expression }) => expression)).toEqual(["is_app"]);
    expect(plain(old.roles[3]?.role.vars)).toEqual({ v: "b", w: "a" });
  });
});

describe("a task", () => {
  test("takes its arguments as key=value, each at its own place", () => {
    const { args, loop } = taskAt(0);
    expect(plain(args.map)).toEqual({ src: "a", dest: "/b c", mode: "0644" });
    expect(args.map.entries.map(({ key }) => key.span.column)).toEqual([13, 19, 31]);
    expect(loop).toMatchObject({ form: "items", loopVar: "item" });
  });

  test("is named by action: and local_action:", () => {
    expect(taskAt(1)).toMatchObject({ module: "template", action: "template" });
    expect(taskAt(2)).toMatchObject({ module: "command", delegateTo: { value: "localhost" } });
    expect(taskAt(2).args.freeForm).toMatchObject({ value: "ls -l" });
    expect(plain(taskAt(2).args.map)).toEqual({ chdir: "/tmp" });
  });

  test("of free form keeps its text, with its options apart", () => {
    const { args } = taskAt(6);
    expect(args.freeForm).toMatchObject({ value: 'FOO=1 sh -c "echo a  b"  cmd=3' });
    expect(plain(args.map)).toEqual({ creates: "/x", chdir: "/y" });
    expect(taskAt(8).args.freeForm).toMatchObject({ value: "one\ntwo" });
  });

  test("may have all its arguments in one variable", () => {
    expect(taskAt(7).args.variable).toMatchObject({ value: "{{ whole }}" });
  });
});

describe("what is imported", () => {
  test("stands in a block that carries tags and variables", () => {
    const block = blockAt(3);
    expect(block.tags).toEqual(["part"]);
    expect(plain(block.vars)).toEqual({ who: "me" });
    expect(messages([block])).toEqual([{ msg: "{{ who }}" }]);
    expect(messages([blockAt(10)])).toEqual([{ msg: "other" }]);
    expect(plain(blockAt(10).vars)).toEqual({ v: 1 });
  });

  test("brings its handlers into the play, after the play's own", () => {
    const names = (each: Statement): unknown[] =>
      each.kind === "block"
        ? each.block.flatMap(names)
        : each.kind === "task" && each.name
          ? [toPlain(each.name)]
          : [];
    expect(old.handlers.flatMap(names)).toEqual(["restart", "common handler"]);
    expect(old.handlers[0]).toMatchObject({ listen: ["topic", "other topic"], rolling: { value: 1 } });
  });
});

describe("what is included", () => {
  test("is loaded at its turn", () => {
    const include = old.tasks[5];
    if (include?.kind !== "include-tasks") throw new Error("no include");
    expect(plain(include.apply)).toEqual({ tags: ["in"] });
    expect(messages(include.load("part.yml"))).toEqual([{ msg: "{{ who }}" }]);
    expect(() => include.load("nowhere.yml")).toThrow(ProvisionError);
    expect(old.tasks[4]?.kind).toBe("include-tasks");
  });

  test("brings the handlers of roles that it imports", () => {
    const include = old.tasks[5];
    if (include?.kind !== "include-tasks") throw new Error("no include");
    expect(include.load("imports-role.yml")).toMatchObject([
      { kind: "block", handlers: [{ kind: "block", block: [{ kind: "task" }] }] },
    ]);
  });

  test("may be a role whose name is a variable", () => {
    const include = old.tasks[11];
    if (include?.kind !== "include-role") throw new Error("no include");
    expect(include).toMatchObject({ public: { value: true }, loop: { loopVar: "which" } });
    expect(messages(include.load({ role: "base" }).role.tasks)).toEqual([{ msg: "base" }]);
    expect(() => include.load({ role: "bsae" })).toThrow(expect.objectContaining({ code: "unknown-role" }));
  });
});

const scratch = mkdtempSync(join(tmpdir(), "provision-playbook-"));
afterAll(() => rmSync(scratch, { recursive: true }));

describe("any text", () => {
  const seed = readFileSync(join(folder, "site.yml"), "utf8");
  const words = [
    "- ",
    ": ",
    "block",
    "when",
    "roles",
    "include_role",
    "import_tasks",
    "{{ ",
    "x=1 ",
    "[",
    "}",
    "\n",
    "    ",
    "null",
    "vars",
  ];
  const edit = fc.tuple(
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.integer({ min: 0, max: 12 }),
    fc.constantFrom(...words),
  );

  test("is a playbook or an error with a place, never a crash", () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const text = edits.reduce((kept, [where, cut, word]) => {
          const at = Math.floor(where * kept.length);
          return kept.slice(0, at) + word + kept.slice(at + cut);
        }, seed);
        const file = join(scratch, "site.yml");
        writeFileSync(file, text);
        try {
          loadPlaybook(file, { catalogue, rolesPath: [join(folder, "roles")] });
        } catch (error) {
          expect(error).toBeInstanceOf(ProvisionError);
          for (const each of [error as ProvisionError, ...(error as ProvisionError).also]) {
            expect(each.span?.line, each.message).toBeGreaterThan(0);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

test("roles of collections are found in the folders that stand instead of the usual ones", () => {
  const dir = mkdtempSync(join(tmpdir(), "provision-load-"));
  try {
    const tasks = join(dir, "shared/ansible_collections/acme/tools/roles/motd/tasks");
    mkdirSync(tasks, { recursive: true });
    writeFileSync(join(tasks, "main.yml"), "- debug: {msg: found}\n");
    const file = join(dir, "site.yml");
    writeFileSync(file, "- hosts: all\n  roles: [acme.tools.motd]\n");
    expect(() => loadPlaybook(file, options)).toThrow(ProvisionError);
    for (const folderNamed of ["shared", "shared/ansible_collections"]) {
      const found = loadPlaybook(file, { ...options, collectionsPath: [join(dir, folderNamed)] });
      expect(messages(found.plays[0]?.roles[0]?.role.tasks ?? [])).toEqual([{ msg: "found" }]);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
