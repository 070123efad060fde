import { describe, expect, test } from "vitest";
import { runText } from "../../support/run-playbook.ts";

/** What keeps the run from asking ahead is told once, with its place, for --profile. */
async function barriersOf(tasks: string): Promise<readonly string[]> {
  const { events } = await runText({
    playbook: `- hosts: all\n  gather_facts: false\n  vars: {lazy: "{{ s.stdout }}"}\n  tasks:\n${tasks}`,
    inventory: "a ansible_connection=local\nb ansible_connection=local\n",
  });
  return events.flatMap((event) =>
    event.type === "barrier" ? [`${event.task} (${event.place.replace(/^.*[/]/, "")}): ${event.reason}`] : [],
  );
}

const stat = "    - {name: look, stat: {path: /}}\n";

describe("what stops the look ahead", () => {
  test.each([
    ["nothing", `${stat}    - {name: never, command: "true", when: false}\n`, []],
    [
      "a command",
      `${stat}    - {name: act, command: "true"}\n${stat}`,
      ["act (site.yml:6): it is executed every time, so what follows is asked after it"],
    ],
    [
      "a name that a task registers, through a lazy variable",
      `    - {command: "true", register: s}\n    - {name: use, stat: {path: "/{{ lazy }}"}}\n`,
      [
        "command (site.yml:5): it is executed every time, so what follows is asked after it",
        'use (site.yml:6): "s" is not known before its turn',
      ],
    ],
    [
      "a condition on it",
      `    - {stat: {path: /}, register: s}\n    - {name: maybe, stat: {path: /}, when: s.stat.exists}\n`,
      ['maybe (site.yml:6): "s" is not known before its turn'],
    ],
    [
      "time, and something that the controller does",
      `${stat}    - {name: dated, stat: {path: "/{{ now() }}"}}\n    - {name: "wait {{ inventory_hostname }}", pause: {seconds: 0.01}}\n`,
      [
        'dated (site.yml:6): "now()" is not known before its turn',
        'wait a (site.yml:7): what follows waits for "pause"',
      ],
    ],
  ])("%s", async (_what, tasks, told) => {
    expect(await barriersOf(tasks)).toEqual(told);
  });
});
