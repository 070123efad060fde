import { describe, expect, test } from "vitest";
import { becomeFailed, launchOf } from "../../../src/provisioning/transport/become-command.ts";

const become = { user: "root", method: "sudo" } as const;
const refused = (stderr: string, more = {}) =>
  becomeFailed({ become, host: "web1", stderr, passwordSent: false, askedAgain: false, ...more });

describe("becoming another user", () => {
  test("without a password sudo is told never to ask", () => {
    expect(launchOf(become)).toEqual({
      command: "exec sudo -H -n -u root -- /bin/sh -s provision",
      word: "provision",
    });
  });

  test("sudo may stand anywhere", () => {
    const { command } = launchOf({ ...become, exe: "/opt/my tools/sudo" });
    expect(command).toBe("exec '/opt/my tools/sudo' -H -n -u root -- /bin/sh -s provision");
  });

  test("a password stands in no command", () => {
    const launch = launchOf({ ...become, password: "hunter2" });
    expect(launch.command).not.toContain("hunter2");
    expect(launch.prompt?.password).toBe("hunter2");
    expect(launch.command).toContain(String(launch.prompt?.text));
  });

  test.each([
    ["sudo: a password is required", "sudo wants a password"],
    ["bob is not in the sudoers file.  This incident will be reported.", "the login user may not use sudo"],
    [
      "Sorry, user bob is not allowed to execute '/bin/sh' as root on web1.",
      "the login user may not use sudo",
    ],
    ["sudo: sorry, you must have a tty to run sudo", "sudo there works on terminals only (requiretty)"],
    ["sudo: unknown user: root", 'the host has no user "root"'],
    ["bash: line 1: exec: sudo: not found", "the host has no sudo"],
  ])("%s", (stderr, state) => {
    expect(refused(stderr)).toMatchObject({ code: "become-failed", state });
  });

  test("a second prompt means that the password was wrong", () => {
    expect(refused("Sorry, try again.", { passwordSent: true, askedAgain: true }).state).toBe(
      "sudo refused the password",
    );
  });

  test("an unknown refusal is quoted", () => {
    expect(refused("something\nodd").state).toBe("sudo ended: 'something; odd'");
  });
});
