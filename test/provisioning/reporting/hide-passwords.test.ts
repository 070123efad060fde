import { describe, expect, test } from "vitest";
import { ProvisionError } from "../../../src/base/errors.ts";
import { formatError } from "../../../src/provisioning/reporting/format-error.ts";
import { hidePasswords } from "../../../src/provisioning/reporting/hide-passwords.ts";
import { jsonReporter } from "../../../src/provisioning/reporting/json-reporter.ts";

describe("a line that an error quotes", () => {
  test.each([
    ["a ansible_password=s3cr#et77 x=1", "a ansible_password=********* x=1"],
    ["  db_password: open sesame", "  db_password: ***********"],
    [
      `- user: {name: ann, password: "s3cret", shell: /bin/sh}`,
      `- user: {name: ann, password: ********, shell: /bin/sh}`,
    ],
    [`{"api_key": "abc", "port": 80}`, `{"api_key": *****, "port": 80}`],
    [`a: !vault "plain"`, `a: !vault *******`],
    ["ansible_ssh_pass='a b'", "ansible_ssh_pass=*****"],
  ])("%s is shown as %s", (line, shown) => {
    expect(hidePasswords(line).line).toBe(shown);
    expect(shown).toHaveLength(line.length);
  });

  test.each([
    'password: "{{ vaulted }}"',
    "password: !vault |",
    "ask_pass: true",
    "vault_password_file: ~/.pw",
    "bypass: everything",
    "msg: the password is asked for",
  ])("%s is shown as it is", (line) => {
    expect(hidePasswords(line)).toEqual({ line, found: [] });
  });

  test("its value is in no sentence either, as text and as JSON", () => {
    const error = new ProvisionError({
      code: "bad-inventory",
      action: "read it",
      state: '"ansible_password: s3cret77" is no key=value',
      span: { file: "hosts.ini", line: 1, column: 1, sourceLine: "ansible_password: s3cret77" },
      fix: "write ansible_password=s3cret77",
    });
    const written: string[] = [];
    const json = jsonReporter({ write: (text) => written.push(text), mask: (text) => text });
    json.report({ type: "connect", atMs: 0, host: "a", state: "failed", elapsedMs: 1, error });
    for (const text of [formatError(error), ...written]) {
      expect(text).toContain("ansible_password");
      expect(text).not.toContain("s3cret");
    }
  });
});
