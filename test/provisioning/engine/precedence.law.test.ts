import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import fc from "../../support/property.ts";
import { packageRoot } from "../../support/provision.ts";
import { factNames, factsLevel, levels, variableSite } from "../../support/variable-site.ts";

const run = promisify(execFile);
const hasAnsible = spawnSync("ansible-playbook", ["--version"]).status === 0;

/** One variable for each level, set there and at all weaker ones: the highest is removed one at a time. Then 200 by chance. */
function chosenLevels(): ReadonlyMap<string, ReadonlySet<number>> {
  const chosen = new Map<string, ReadonlySet<number>>();
  const upTo = (last: number, but: number): ReadonlySet<number> =>
    new Set([...levels.keys()].filter((level) => level <= last && level !== but));
  for (const last of levels.keys()) {
    if (last !== factsLevel) chosen.set(`up_to_${last}`, upTo(last, factsLevel));
  }
  const subsets = fc.sample(fc.subarray([...levels.keys()], { minLength: 1, maxLength: 8 }), {
    numRuns: 200,
    seed: 22,
  });
  for (const [index, subset] of subsets.entries()) {
    chosen.set(`chance_${index}`, new Set(subset.filter((level) => level !== factsLevel)));
  }
  // A fact is set by its host, whatever else is.
  for (const [index, name] of factNames.entries()) {
    chosen.set(name, new Set([...upTo(factsLevel + index, -1)]));
  }
  chosen.set("item_of_loop", upTo(levels.length, factsLevel));
  return chosen;
}

const chosen = chosenLevels();

/** The strongest level of each, which is all that Ansible's order says. */
const expected = Object.fromEntries(
  [...chosen].map(([name, set]) => {
    const strongest = levels[Math.max(-1, ...set)]?.label ?? "nothing";
    return [name, name === "item_of_loop" ? "loop-item" : strongest];
  }),
);

let dir = "";
let extraVars = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "provision-precedence-"));
  const site = variableSite(chosen);
  extraVars = site.extraVars;
  for (const [path, text] of Object.entries(site.files)) {
    const file = join(dir, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function output(file: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd: dir, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await run(file, [...argv, "-i", "inventory", "site.yml", "-e", extraVars], options);
  return stdout;
}

/** What is no level's label is what the host said. */
function labelled(said: Readonly<Record<string, string>>): Record<string, string> {
  const labels = new Set([...levels.map(({ label }) => label), "nothing", "loop-item"]);
  return Object.fromEntries(
    Object.entries(said).map(([name, value]) => [name, labels.has(value) ? value : "facts"]),
  );
}

test("the engine lays all levels over each other in Ansible's order", async () => {
  const text = await output(process.execPath, [join(packageRoot, "src/main.ts"), "--json"]);
  const events = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const said = events.find(
    (event) =>
      event.type === "task-host" &&
      event.result?.results !== undefined &&
      JSON.stringify(event.result).includes("up_to_0"),
  );
  expect(labelled(said.result.results[0].msg)).toEqual(expected);
});

test.skipIf(!hasAnsible)(
  "ansible-playbook lays them in this order",
  async () => {
    const env = { ANSIBLE_STDOUT_CALLBACK: "json", ANSIBLE_DEPRECATION_WARNINGS: "0" };
    const text = await output("ansible-playbook", [], env);
    const { plays } = JSON.parse(text.slice(text.indexOf("{\n")));
    const task = plays[0].tasks.find((each: { task: { name: string } }) =>
      each.task.name.endsWith("who wins"),
    );
    expect(labelled(task.hosts.h.results[0].msg)).toEqual(expected);
  },
  120_000,
);
