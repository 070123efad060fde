import type { JsonObject } from "../../base/json.ts";
import { answerTo, linesOf, textOf } from "./answers.ts";
import { defineArgs } from "./arguments.ts";
import { defineModule } from "./define-module.ts";

const servicesSh = `if [ -d /run/systemd/system ]; then
  systemctl list-units --all --type=service --no-legend --plain --no-pager | sed 's/^/unit /'
  systemctl list-unit-files --type=service --no-legend --no-pager | sed 's/^/file /'
  for f in /etc/init.d/*; do [ -x "$f" ] && echo "script \${f##*/}"; done
else
  for f in /etc/init.d/*; do [ -x "$f" ] || continue; n=\${f##*/}; s=stopped
  "$f" status </dev/null >/dev/null 2>&1 && s=running
  e=disabled; for l in /etc/rc[2345].d/S[0-9][0-9]"$n"; do [ -e "$l" ] && e=enabled; done
  echo "init $n $s $e"; done
fi`;

function readServices(lines: readonly string[]): JsonObject {
  const found: Record<string, { name: string; state: string; status?: string; source: string }> = {};
  const entry = (name: string, source: string) => {
    found[name] ??= { name, state: "unknown", status: "unknown", source };
    return found[name];
  };
  for (const line of lines) {
    const [kind, name = "", a = "", b = "", c = ""] = line.split(/\s+/);
    if (kind === "unit") {
      const states: Readonly<Record<string, string>> = { running: "running", failed: "failed" };
      entry(name, "systemd").state = states[c] ?? (b === "active" ? c : "stopped");
      if (a === "not-found") entry(name, "systemd").status = "not-found";
    } else if (kind === "file") {
      const unit = entry(name, "systemd");
      unit.status = a;
      if (unit.state === "unknown") unit.state = "inactive";
    } else if (kind === "script") {
      // As "service --status-all" tells of them, without running any: their state is their unit's.
      const runs = found[`${name}.service`]?.state === "running";
      found[name] = { name, state: runs ? "running" : "stopped", source: "sysv" };
    } else if (kind === "init") Object.assign(entry(name, "sysv"), { state: a, status: b });
  }
  return found;
}

export default defineModule({
  kind: "host",
  name: "service_facts",
  summary: "Puts the state of all services into ansible_facts.services.",
  args: defineArgs({}),
  example: "- name: what runs here\n  service_facts:\n",
  reads: "host",
  readOnly: true,
  ask: () => [{ of: "script", sh: servicesSh, args: [] }],
  read: (answers) => readServices(linesOf(textOf(answerTo(answers, 0, "script").stdout))),
  plan: () => ({ steps: [], diffs: [] }),
  result: (services) => ({ ansible_facts: { services } }),
});
