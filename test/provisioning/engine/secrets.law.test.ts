import { expect, test } from "vitest";
import { runText } from "../../support/run-playbook.ts";

test("passwords in arguments and connection variables are told to whoever masks", async () => {
  const secrets = new Set<string>();
  await runText({
    playbook: `- hosts: all
  gather_facts: false
  tasks:
    - uri: {url: "http://127.0.0.1:1/", url_username: me, url_password: "{{ 'url' ~ '-secret' }}"}
      ignore_errors: true
    - command: "true"
      become: true
      vars: {ansible_become_password: sudo-secret}
      ignore_errors: true
`,
    request: { secrets },
  });
  expect([...secrets].sort()).toEqual(["sudo-secret", "url-secret"]);
});
