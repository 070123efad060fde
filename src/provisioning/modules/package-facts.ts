import type { JsonObject } from "../../base/json.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { choice, defineArgs, list } from "./arguments.ts";
import { defineModule } from "./define-module.ts";
import type { Plan } from "./module.ts";

const packagesSh = `if command -v dpkg-query >/dev/null; then echo apt
  dpkg-query -W -f='\${db:Status-Status}\\t\${Package}\\t\${Version}\\t\${Architecture}\\t\${Section}\\n' | sed -n 's/^installed\\t//p'
elif command -v rpm >/dev/null; then echo rpm; rpm -qa --qf '%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{GROUP}\\n'
elif command -v apk >/dev/null; then echo apk; apk info -v | sed 's/-\\([0-9][^-]*-r[0-9]*\\)$/\\t\\1\\t\\t/'
fi`;

interface Package extends JsonObject {
  readonly name: string;
}

function readPackages(lines: readonly string[]): { readonly manager: string; readonly packages: JsonObject } {
  const [manager = "", ...rows] = lines;
  const packages: Record<string, Package[]> = {};
  for (const row of rows) {
    const [name = "", version = "", arch = "", category = ""] = row.split("\t");
    const entry = { name, version, arch, category, source: manager };
    packages[name] = [...(packages[name] ?? []), entry];
  }
  return { manager, packages };
}

export default defineModule({
  kind: "host",
  name: "package_facts",
  summary: "Puts all installed packages and their versions into ansible_facts.packages.",
  args: defineArgs({
    manager: list("Of Ansible: which package managers; the host's own is found out.", { default: ["auto"] }),
    strategy: choice(["first", "all"])("Of Ansible: hosts with several package managers.", {
      default: "first",
    }),
  }),
  example: "- name: what is installed\n  package_facts:\n",
  reads: "host",
  readOnly: true,
  ask: () => [{ of: "script", sh: packagesSh, args: [] }],
  read: (answers) => readPackages(linesOf(textOf(answerTo(answers, 0, "script").stdout))),
  plan: (_args, { manager }): Plan => ({
    steps: [],
    diffs: [],
    ...(manager === "" ? { fail: "this host has none of dpkg, rpm and apk" } : {}),
  }),
  result: ({ packages }) => ({ ansible_facts: { packages } }),
});
