import { answerTo, bytesOf, linesOf, textOf } from "./answers.ts";
import { defineArgs, text } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

export default defineModule({
  kind: "host",
  name: "hostname",
  summary: "Sets the name of the host, now and for the next boot.",
  args: defineArgs(
    {
      name: text("The name.", { required: true }),
      use: text("Of Ansible: /etc/hostname and the kernel are what is always set.", { default: "auto" }),
    },
    {
      check: ({ name }) =>
        /^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/.test(name)
          ? undefined
          : `"${name}" is not a host's name`,
    },
  ),
  example: "- name: called as in the inventory\n  hostname: {name: '{{ inventory_hostname }}'}\n",
  reads: "host",
  ask: () => [{ of: "script", sh: "hostname; cat /etc/hostname 2>/dev/null || echo", args: [] }],
  read(answers) {
    const [now = "", saved = ""] = linesOf(textOf(answerTo(answers, 0, "script").stdout));
    return { now, saved: saved.trim() };
  },
  /** Not by hostnamectl, which fails where /etc/hostname is mounted, as in containers. */
  plan({ name }, { now, saved }): Plan {
    if (now === name && saved === name) return { steps: [], diffs: [] };
    const diffs = [{ path: "hostname", before: `${saved || now}\n`, after: `${name}\n` }];
    const file = {
      do: "write" as const,
      why: "write /etc/hostname",
      path: "/etc/hostname",
      from: { bytes: bytesOf(`${name}\n`) },
      mode: "0644",
    };
    const live = { do: "run" as const, why: `name the host ${name}`, argv: ["hostname", name] };
    return { steps: [...(saved === name ? [] : [file]), ...(now === name ? [] : [live])], diffs };
  },
  result: (_state, _outcome, { name }) => ({
    name,
    ansible_facts: { ansible_hostname: name.split(".")[0] ?? name, ansible_nodename: name },
  }),
});
