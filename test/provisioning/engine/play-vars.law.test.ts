import { expect, test } from "vitest";
import { runText, shown } from "../../support/run-playbook.ts";

const play = (prompt: string): string => `- hosts: a
  gather_facts: false
  vars: {stage: test}
  vars_prompt: [${prompt}]
  tasks: [{debug: {msg: "{{ release }}"}}]
`;

test("without a terminal a prompt's default is taken, and that is said", async () => {
  const run = await runText({ playbook: play('{name: release, default: "7-{{ stage }}"}') });
  expect(shown(run)).toEqual(["a: 7-test"]);
  const warnings = run.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));
  expect(warnings).toEqual(['no terminal to ask for "release" on: its default is taken']);
});

test("without a default it is refused with what to type, and -e answers it", async () => {
  await expect(runText({ playbook: play("{name: release}") })).rejects.toMatchObject({
    code: "no-terminal",
    span: { line: 4 },
    fix: "-e release=…",
  });
  const run = await runText({ playbook: play("{name: release}"), extraVars: ["release=9"] });
  expect(shown(run)).toEqual(["a: 9"]);
});
