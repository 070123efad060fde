/** Whatever is done wrong is told with its place, its reason, and something to type: the goldens are there to be read. */
import { describe, expect, test } from "vitest";
import { mistakes } from "../support/beginners-mistakes.ts";
import { mistakeFiles, readMistakes, tell, type WrittenMistake } from "../support/mistakes.ts";

/** What was done wrong here only their author can tell. */
const withoutFix: ReadonlySet<string> = new Set([
  "a command that fails",
  "assert that fails",
  "a division by zero",
  "from_json of text that is none",
  "a filter with too many arguments",
  "with_dict over a list",
]);

async function told(mistake: WrittenMistake): Promise<string> {
  const { code, text } = await tell(mistake);
  expect([1, 2, 4], mistake.name).toContain(code);
  expect(text, mistake.name).toMatch(/error\[|place:/);
  expect(text, mistake.name).not.toMatch(/error\[defect\]|^ +at .*:\d+:\d+\)$|s3cr/m);
  if (!withoutFix.has(mistake.name)) expect(text, mistake.name).toMatch(/fix:/);
  return `=== ${mistake.name} (exit code ${code})\n${text}`;
}

/** Of the ones that beginners-mistakes.test.ts tells without a host, those that only a run can tell. */
test("what --syntax-check cannot see is told by a run", async () => {
  const texts: string[] = [];
  for (const [name, files, argv = ["localhost,", "site.yml", "--syntax-check"]] of mistakes) {
    const written = Object.entries(files).map(([file, text]) => ({ name: file, flags: [], text }));
    if ((await tell({ name, argv, files: written })).code !== 0) continue;
    const run = [...argv.filter((word) => word !== "--syntax-check"), "-c", "local"];
    texts.push(await told({ name, argv: run, files: written }));
  }
  await expect(texts.join("\n")).toMatchFileSnapshot("../golden/mistakes/seen-in-a-run.txt");
});

test("hosts of a play that has nothing for them are no mistake", async () => {
  const hosts = "[web]\na ansible_connection=local\n[db]\nb ansible_connection=local\n";
  const play = (group: string, tags: string): string =>
    `- hosts: ${group}\n  gather_facts: false\n  tasks: [{ping: ${tags}}]\n`;
  const files = [
    { name: "hosts.ini", flags: [], text: hosts },
    { name: "site.yml", flags: [], text: play("web", ", tags: x") + play("db", "") },
  ];
  const ran = await tell({ name: "tags", argv: ["hosts.ini", "site.yml", "-l", "db", "-t", "x"], files });
  expect(ran).toEqual({ code: 0, text: expect.not.stringContaining("error") });
});

describe.each(mistakeFiles)("mistakes in %s", (file) => {
  test("are told in words that help", async () => {
    const texts: string[] = [];
    for (const mistake of readMistakes(file)) texts.push(await told(mistake));
    await expect(texts.join("\n")).toMatchFileSnapshot(`../golden/mistakes/${file}.txt`);
  });
});
