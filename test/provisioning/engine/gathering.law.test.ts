import { describe, expect, test } from "vitest";
import { failures, outcomes, runText, shown } from "../../support/run-playbook.ts";

const isRoot = process.getuid?.() === 0;
const told =
  "{{ ansible_user_id }} {{ ansible_effective_user_id }} {{ ansible_env.MINE | default('none') }} {{ ansible_os_family is defined }}";

describe.skipIf(!isRoot)("facts that nobody gathers by a task of its own", () => {
  test("are those of whom each play becomes, in its environment", async () => {
    const ran = await runText({
      playbook: `- hosts: all
  become: true
  become_user: nobody
  environment: {MINE: here}
  tasks:
    - debug: {msg: "${told}"}
- hosts: all
  tasks:
    - debug: {msg: "${told}"}
    - debug: {msg: "${told}"}
      become: true
      become_user: nobody
- hosts: all
  become: true
  tasks:
    - debug: {msg: "${told}"}
`,
    });
    expect(shown(ran)).toEqual([
      "a: nobody 65534 here True",
      "a: root 0 none True",
      "a: root 0 none True",
      "a: root 0 none True",
    ]);
  });

  test("come by the way of becoming that fails only where a task needs them, which says why", async () => {
    const ran = await runText({
      playbook: `- hosts: all
  become: true
  become_user: nobody-here
  tasks:
    - {name: needs none, debug: {msg: fine}}
    - {name: needs some, debug: {msg: "{{ ansible_os_family }}"}}
`,
    });
    expect(shown(ran)).toEqual(["a: fine"]);
    expect(outcomes(ran)[0]).toBe("needs none a ok");
    expect(failures(ran).join()).toContain("nobody-here");
  });
});
