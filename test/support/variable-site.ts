/** One play that reaches every level at which a variable can be set: who wins is seen in what its last task says. */

/** What a level sets: names to the level's own label. */
type Write = (names: readonly string[], label: string) => string;

interface Level {
  readonly label: string;
  /** The file that sets it, with `@` where the variables go. Levels that share a file have a text each in `shared`. */
  readonly write: Write;
}

const flow: Write = (names, label) => `{${names.map((name) => `${name}: ${label}`).join(", ")}}`;
const members: Write = (names, label) => names.map((name) => `, ${name}: ${label}`).join("");
const iniLines: Write = (names, label) => names.map((name) => `${name}=${label}\n`).join("");
const iniWords: Write = (names, label) => names.map((name) => ` ${name}=${label}`).join("");
const prompts: Write = (names, label) =>
  `[${names.map((name) => `{name: ${name}, prompt: ${name}, default: ${label}, private: false}`).join(", ")}]`;

/** Weakest first: Ansible's 22 levels, with the steps inside some of them. Facts are what the host says. */
export const levels: readonly Level[] = [
  { label: "defaults-of-an-earlier-role", write: flow },
  { label: "defaults-of-a-later-role", write: flow },
  { label: "defaults-of-a-dependency", write: flow },
  { label: "defaults-of-the-role-around", write: flow },
  { label: "role-defaults", write: flow },
  { label: "inventory-all-vars", write: iniLines },
  { label: "inventory-parent-vars", write: iniLines },
  { label: "inventory-child-vars", write: iniLines },
  { label: "inventory-group_vars-all", write: flow },
  { label: "playbook-group_vars-all", write: flow },
  { label: "inventory-group_vars-parent", write: flow },
  { label: "inventory-group_vars-child", write: flow },
  { label: "playbook-group_vars-parent", write: flow },
  { label: "playbook-group_vars-child", write: flow },
  { label: "inventory-host-line", write: iniWords },
  { label: "inventory-host_vars", write: flow },
  { label: "playbook-host_vars", write: flow },
  { label: "facts", write: () => "" },
  { label: "play-vars", write: flow },
  { label: "vars_prompt", write: prompts },
  { label: "first-of-vars_files", write: flow },
  { label: "last-of-vars_files", write: flow },
  { label: "vars-of-an-earlier-role", write: flow },
  { label: "vars-of-a-later-role", write: flow },
  { label: "vars-beside-the-role-around", write: flow },
  { label: "vars-of-the-role-around", write: flow },
  { label: "vars-of-a-dependency", write: flow },
  { label: "vars-beside-the-role", write: flow },
  { label: "role-vars", write: flow },
  { label: "outer-block-vars", write: flow },
  { label: "inner-block-vars", write: flow },
  { label: "task-vars", write: flow },
  { label: "include_vars", write: flow },
  { label: "set_fact", write: flow },
  { label: "params-of-the-role-around", write: members },
  { label: "role-params", write: members },
  { label: "outer-include-params", write: flow },
  { label: "inner-include-params", write: flow },
  { label: "extra-vars", write: flow },
];
export const factsLevel = levels.findIndex(({ label }) => label === "facts");

/** Facts of any host that hold text. */
export const factNames = [
  "ansible_kernel",
  "ansible_system",
  "ansible_machine",
  "ansible_architecture",
  "ansible_os_family",
  "ansible_distribution",
  "ansible_distribution_version",
  "ansible_nodename",
  "ansible_hostname",
  "ansible_user_id",
] as const;

interface VariableSite {
  /** By path. Variables stand where the levels say. */
  readonly files: Readonly<Record<string, string>>;
  readonly extraVars: string;
}

const site: Readonly<Record<string, string>> = {
  "inventory/hosts": `[parent:children]
child
[child]
h ansible_connection=local@inventory-host-line@
[all:vars]
@inventory-all-vars@
[parent:vars]
@inventory-parent-vars@
[child:vars]
@inventory-child-vars@`,
  "inventory/group_vars/all.yml": "@inventory-group_vars-all@",
  "inventory/group_vars/parent.yml": "@inventory-group_vars-parent@",
  "inventory/group_vars/child/main.yaml": "@inventory-group_vars-child@",
  "inventory/host_vars/h.json": "@inventory-host_vars@",
  "group_vars/all/x.yml": "@playbook-group_vars-all@",
  "group_vars/parent": "@playbook-group_vars-parent@",
  "group_vars/child.yml": "@playbook-group_vars-child@",
  "host_vars/h.yml": "@playbook-host_vars@",
  "first.yml": "@first-of-vars_files@",
  "last.yml": "@last-of-vars_files@",
  "included.yml": "@include_vars@",
  "roles/earlier/defaults/main.yml": "@defaults-of-an-earlier-role@",
  "roles/earlier/vars/main.yml": "@vars-of-an-earlier-role@",
  "roles/later/defaults/main.yml": "@defaults-of-a-later-role@",
  "roles/later/vars/main.yml": "@vars-of-a-later-role@",
  "roles/dependency/defaults/main.yml": "@defaults-of-a-dependency@",
  "roles/dependency/vars/main.yml": "@vars-of-a-dependency@",
  "roles/around/defaults/main.yml": "@defaults-of-the-role-around@",
  "roles/around/vars/main.yml": "@vars-of-the-role-around@",
  "roles/around/meta/main.yml": "dependencies: [{role: own, vars: @vars-beside-the-role@@role-params@}]",
  "roles/own/defaults/main.yml": "@role-defaults@",
  "roles/own/vars/main.yml": "@role-vars@",
  "roles/own/meta/main.yml": "dependencies: [dependency]",
  "roles/own/tasks/main.yml": "- {include_tasks: outer.yml, vars: @outer-include-params@}",
  "roles/own/tasks/outer.yml": "- {include_tasks: inner.yml, vars: @inner-include-params@}",
  "roles/own/tasks/inner.yml": `- vars: @outer-block-vars@
  block:
    - vars: @inner-block-vars@
      block:
        - name: who wins
          debug: {msg: "@who-wins@"}
          loop: [loop-item]
          loop_control: {loop_var: item_of_loop}
          vars: @task-vars@`,
  "site.yml": `- hosts: h
  vars: @play-vars@
  vars_prompt: @vars_prompt@
  vars_files: [first.yml, last.yml]
  pre_tasks:
    - include_vars: included.yml
    - set_fact: @set_fact@
  roles:
    - earlier
    - {role: around, vars: @vars-beside-the-role-around@@params-of-the-role-around@}
    - later
`,
};

/** `chosen`: which levels set each variable. */
export function variableSite(chosen: ReadonlyMap<string, ReadonlySet<number>>): VariableSite {
  const texts = new Map<string, string>();
  for (const [index, { label, write }] of levels.entries()) {
    const names = [...chosen].filter(([, set]) => set.has(index)).map(([name]) => name);
    texts.set(label, write(names, label));
  }
  const pairs = [...chosen.keys()].map((name) => `${name}: (${name} | default('nothing'))`);
  const members = pairs.map((pair) => pair.replace(/^[^:]*/, "'$&'"));
  texts.set("who-wins", `{{ {${members.join(", ")}} }}`);
  const fill = (text: string): string => text.replaceAll(/@([\w-]+)@/g, (_, label) => texts.get(label) ?? "");
  const files = Object.fromEntries(Object.entries(site).map(([path, text]) => [path, fill(text)]));
  return { files, extraVars: texts.get("extra-vars") ?? "{}" };
}
