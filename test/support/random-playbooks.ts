/**
 * Random playbooks in which tasks get in each other's way as much as they can: a few names for everything, hosts that
 * share a machine, registers and lazy variables several levels deep, everything that makes looking ahead go wrong.
 */

import type { Loss } from "./lost-connections.ts";
import fc from "./property.ts";

export type Fields = Readonly<Record<string, unknown>>;

interface RandomPlay {
  readonly hosts: string;
  readonly statements: readonly Fields[];
  readonly serial: number;
  /** "at once": linear, and no throttle. */
  readonly strategy: string;
  readonly keywords: Fields;
}
export interface RandomPlaybook {
  readonly plays: readonly RandomPlay[];
  readonly included: readonly Fields[];
  readonly check: boolean;
  readonly hasGone: boolean;
}

const oneOf = fc.constantFrom;
/** Names that collide on purpose: files, folders and links. */
const name = oneOf("x", "y", "d", "d/x", "l");
const path = fc.oneof(
  { weight: 8, arbitrary: name.map((each) => `{{ d }}/${each}`) },
  { weight: 2, arbitrary: oneOf("{{ sh }}/x", "{{ sh }}/y") },
  // Lazy, through what tasks set and register, and through another host.
  { weight: 2, arbitrary: oneOf("{{ lazy2 }}", "{{ d }}/{{ hostvars[other].v | default('y') }}") },
);
const host = oneOf("a", "b", "c");
const content = fc.oneof(
  { weight: 4, arbitrary: oneOf("one", "two", "{{ inventory_hostname }}", "{{ v | default('one') }}") },
  {
    weight: 1,
    arbitrary: oneOf(
      "{{ s.stdout | default('none') }}",
      "{{ hostvars['b'].s.changed | default('never') }}",
      "{{ ansible_play_hosts | length }}",
      "{{ ansible_hostname | default('unknown') }}",
      "{{ lookup('pipe', 'echo piped') }}",
    ),
  },
);
const mode = oneOf("0600", "0644");
const registered = (call: Fields): Fields => ({ ...call, register: "s" });

const fileCall: fc.Arbitrary<Fields> = fc.oneof(
  fc.record({ file: fc.record({ path, state: oneOf("directory", "absent", "touch") }) }),
  fc.record({ file: fc.record({ path, state: oneOf("link", "hard"), src: oneOf("x", "d", "{{ d }}/x") }) }),
  fc.record({ file: fc.record({ path, state: oneOf("file"), mode }) }),
  fc.record({ copy: fc.record({ content, dest: path }) }).map(registered),
  fc.record({ copy: fc.record({ src: oneOf("from", "large"), dest: path, mode }) }),
  // Never a folder into itself: what cp has done when it notices is chance.
  fc.record({
    copy: fc.record({
      src: oneOf("{{ d }}/x", "{{ d }}/l", "{{ d }}/d/x"),
      dest: oneOf("{{ d }}/r", "{{ d }}/y"),
      remote_src: oneOf(true),
    }),
  }),
  fc.record({ template: fc.record({ src: oneOf("t.j2"), dest: path }) }),
  fc.record({ lineinfile: fc.record({ path, line: content, create: fc.boolean() }) }),
  fc.record({ blockinfile: fc.record({ path, block: content, create: oneOf(true) }) }),
  // "oo" finds its own result: done twice it shows.
  fc.record({ replace: fc.record({ path, regexp: oneOf("o"), replace: oneOf("0", "oo") }) }),
);
const commandCall: fc.Arbitrary<Fields> = fc.oneof(
  fc.record({
    shell: fc.record({ cmd: fc.tuple(content, path).map(([text, to]) => `echo ${text} >> ${to}`) }),
  }),
  fc.record({ shell: fc.record({ cmd: path.map((each) => `rm -rf ${each}`), removes: path }) }),
  fc.record({ command: fc.record({ cmd: path.map((each) => `mkdir ${each}`), creates: path }) }),
  fc.record({ command: fc.record({ cmd: oneOf("cat {{ d }}/x") }) }).map(registered),
  path.map((each) => ({ shell: `[ -e ${each} ]`, changed_when: false, register: "s" })),
);
const lookCall: fc.Arbitrary<Fields> = fc.oneof(
  fc.record({ stat: fc.record({ path }) }).map(registered),
  fc.record({ slurp: fc.record({ src: path }) }).map(registered),
  fc.record({ find: fc.record({ paths: oneOf("{{ d }}"), recurse: oneOf(true) }) }).map(registered),
);
const accountCall: fc.Arbitrary<Fields> = fc.oneof(
  fc.record({
    user: fc.record({
      name: oneOf("pvu"),
      create_home: oneOf(false),
      groups: oneOf("pvg", "users"),
      append: oneOf(true),
    }),
  }),
  fc.record({
    user: fc.record({ name: oneOf("pvu"), state: oneOf("present", "absent"), create_home: oneOf(false) }),
  }),
  fc.record({ group: fc.record({ name: oneOf("pvg"), state: oneOf("present", "absent") }) }),
  fc.record({ shell: oneOf("groupadd -f pvg", "userdel pvu; true") }),
);
const systemCall: fc.Arbitrary<Fields> = fc.oneof(
  fc.record({ package: fc.record({ name: oneOf("pvone", "pvtwo"), state: oneOf("present", "absent") }) }),
  fc.record({
    service: fc.record({ name: oneOf("pvsvc"), state: oneOf("started", "stopped", "restarted") }),
  }),
  fc.record({ shell: oneOf("apt-get install pvone", "/etc/init.d/pvsvc stop", "umount {{ d }}/m; true") }),
  fc.record({
    mount: fc.record({
      path: oneOf("{{ d }}/m"),
      src: oneOf("tmpfs"),
      fstype: oneOf("tmpfs"),
      state: oneOf("mounted", "unmounted", "absent"),
    }),
  }),
);
/** What the controller does itself, and what changes who takes part. */
const ownCall: fc.Arbitrary<Fields> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      set_fact: fc.record({
        v: oneOf("x", "y", "{{ inventory_hostname }}", "{{ s.changed | default('x') }}"),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ set_fact: fc.record({ lazy0: oneOf("d", "l", "{{ v | default('x') }}") }) }),
  },
  { weight: 1, arbitrary: fc.record({ fail: fc.record({ msg: oneOf("on purpose") }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ assert: fc.record({ that: oneOf("s is defined", "s is changed", "v == 'x'") }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      debug: fc.record({
        msg: oneOf("{{ v }}", "{{ lazy2 }}", "{{ s.stat.exists }}", "{{ hostvars.c.s.changed }}"),
      }),
    }),
  },
  {
    weight: 1,
    arbitrary: oneOf({ meta: "flush_handlers" }, { meta: "end_host", when: "v is defined and v == 'c'" }),
  },
  { weight: 1, arbitrary: fc.record({ group_by: fc.record({ key: oneOf("g_{{ v | default('x') }}") }) }) },
  {
    weight: 1,
    arbitrary: oneOf({
      add_host: { name: "new", groups: "g_x", ansible_host: "two", lazy0: "y", other: "a" },
    }),
  },
);
/** Somebody else: the test changes the machine itself while the run pauses. */
const outside: fc.Arbitrary<Fields> = fc
  .tuple(oneOf("one", "two"), oneOf("x", "y"), oneOf("three", "one"))
  .map((what) => ({ name: `outside ${what.join(" ")}`, pause: { seconds: 0.01 } }));

const calls = fc.oneof(
  { weight: 8, arbitrary: fileCall },
  { weight: 4, arbitrary: commandCall },
  { weight: 3, arbitrary: lookCall },
  { weight: 2, arbitrary: accountCall },
  { weight: 3, arbitrary: systemCall },
  { weight: 4, arbitrary: ownCall },
);

const when = fc.oneof(
  host.map((each) => `inventory_hostname == '${each}'`),
  oneOf(
    "s is defined and s is not failed and s.stat is defined and s.stat.exists",
    "s is defined and s is changed",
    "v | default('x') == 'x'",
    "lazy2 is search('/x')",
    "hostvars.b.s is defined and hostvars.b.s is changed",
    "s.stat.exists",
  ),
);
const modifiers: fc.Arbitrary<Fields> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  { weight: 4, arbitrary: fc.record({ when }) },
  { weight: 2, arbitrary: fc.record({ delegate_to: oneOf("a", "b", "c", "{{ other }}") }) },
  { weight: 1, arbitrary: fc.record({ delegate_to: host, delegate_facts: oneOf(true) }) },
  { weight: 1, arbitrary: fc.record({ run_once: oneOf(true) }) },
  { weight: 2, arbitrary: fc.record({ notify: oneOf("h", "h2", "topic", ["h", "h2"]) }) },
  { weight: 2, arbitrary: fc.record({ become: oneOf(true), become_user: oneOf("nobody", "daemon") }) },
  { weight: 1, arbitrary: fc.record({ check_mode: oneOf(true) }) },
  { weight: 1, arbitrary: fc.record({ environment: fc.record({ LC_ALL: oneOf("C") }) }) },
  { weight: 1, arbitrary: fc.record({ register: oneOf("s", "r") }) },
  { weight: 1, arbitrary: fc.record({ vars: fc.record({ v: oneOf("x", "d") }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ failed_when: oneOf("s is defined and s is changed"), ignore_errors: oneOf(true) }),
  },
);
const task: fc.Arbitrary<Fields> = fc
  .tuple(calls, modifiers, fc.boolean())
  .map(([call, extra, ignores]) => ({ ...call, ...extra, ...(ignores ? { ignore_errors: true } : {}) }));

/** Loops whose items may go in one message, and loops whose items see each other. */
const items = fc.uniqueArray(oneOf("x", "y", "z", "d/x", "d/y", "l", "l/z", "d"), {
  minLength: 2,
  maxLength: 6,
});
const itemContent = fc.oneof(content, oneOf("{{ item }}", "{{ item }} {{ lookup('pipe', 'echo p') }}"));
const loopCall: fc.Arbitrary<Fields> = fc.oneof(
  fc.record({
    copy: fc.record({ src: oneOf("from", "large"), dest: oneOf("{{ d }}/x", "{{ d }}/{{ item }}"), mode }),
  }),
  fc.record({
    copy: fc.record({
      content: itemContent,
      dest: oneOf("{{ d }}/x", "{{ d }}/{{ item }}", "{{ sh }}/{{ item }}"),
      mode,
    }),
  }),
  fc.record({
    file: fc.record({
      path: oneOf("{{ d }}/{{ item }}"),
      state: oneOf("directory", "touch", "absent", "file"),
      mode: oneOf("0700", "0755"),
    }),
  }),
  fc.record({
    lineinfile: fc.record({
      path: oneOf("{{ d }}/x", "{{ d }}/{{ item }}"),
      line: oneOf("{{ item }}"),
      create: oneOf(true),
    }),
  }),
  fc.record({
    file: fc.record({
      path: oneOf("{{ d }}/{{ item }}"),
      state: oneOf("link", "hard"),
      src: oneOf("x", "{{ d }}/d", "{{ d }}/{{ item }}"),
      force: fc.boolean(),
    }),
  }),
  fc.record({
    lineinfile: fc.record({
      path: oneOf("{{ d }}/x", "{{ d }}/{{ item }}"),
      line: oneOf("{{ item }}", "one"),
      regexp: oneOf("^[xy]", "^o", "{{ item }}$"),
      state: oneOf("present", "present", "absent"),
      create: fc.boolean(),
      mode,
    }),
  }),
  fc.record({
    replace: fc.record({
      path: oneOf("{{ d }}/x", "{{ d }}/{{ item }}"),
      regexp: oneOf("o", "x$"),
      replace: oneOf("{{ item }}", "0", "oo"),
    }),
  }),
  fc.record({ set_fact: fc.record({ v: oneOf("{{ item }}", "{{ v | default('') }}{{ item }}") }) }),
  fc.record({ stat: fc.record({ path: oneOf("{{ d }}/{{ item }}") }) }),
  fc.record({
    command: fc.record({
      cmd: oneOf("mkdir {{ d }}/{{ item }}"),
      creates: oneOf("{{ d }}/{{ item }}", "{{ d }}/x"),
    }),
  }),
);
const loopModifiers = oneOf<Fields>(
  {},
  {},
  { when: "item != 'y'" },
  { notify: "h {{ item }}" },
  { notify: "h" },
  { register: "s" },
  { become: true, become_user: "nobody" },
  { delegate_to: "{{ other }}" },
  { run_once: true },
);
const loopTask: fc.Arbitrary<Fields> = fc
  .tuple(
    loopCall,
    fc.oneof(items, oneOf("{{ s.results | default([]) | map(attribute='item') | list }}")),
    loopModifiers,
  )
  .map(([call, loop, extra]) => ({ ...call, ...extra, loop, ignore_errors: true }));

const retried: fc.Arbitrary<Fields> = path.map((each) => ({
  shell: `echo t >> ${each}; [ $(wc -l < ${each}) -ge 2 ]`,
  register: "r",
  until: "r.rc == 0",
  retries: 2,
  delay: 0.01,
  ignore_errors: true,
}));
const job: fc.Arbitrary<Fields> = path.map((each) => ({
  block: [
    { shell: `sleep 0.05; echo job >> ${each}`, async: 20, poll: 0, register: "j" },
    { stat: { path: each }, changed_when: false },
    {
      async_status: { jid: "{{ j.ansible_job_id }}" },
      register: "j",
      until: "j.finished",
      retries: 200,
      delay: 0.02,
    },
  ],
  when: "not ansible_check_mode",
}));

const leaf = fc.oneof(
  { weight: 14, arbitrary: task },
  { weight: 4, arbitrary: loopTask },
  { weight: 1, arbitrary: outside },
  { weight: 1, arbitrary: retried },
  { weight: 1, arbitrary: job },
  {
    weight: 1,
    arbitrary: oneOf<Fields>(
      { include_tasks: "included.yml" },
      { import_tasks: "included.yml" },
      { include_tasks: "included.yml", vars: { v: "y" } },
      { include_tasks: "included.yml", loop: ["x", "d"], loop_control: { loop_var: "v" } },
      { include_tasks: "included.yml", when: "s is defined and s is changed" },
    ),
  },
);
const block: fc.Arbitrary<Fields> = fc
  .tuple(fc.array(leaf, { minLength: 1, maxLength: 3 }), leaf, leaf, modifiersOfBlock())
  .map(([inside, rescue, always, extra]) => ({
    ...extra,
    block: inside,
    rescue: [rescue],
    always: [always],
  }));

function modifiersOfBlock(): fc.Arbitrary<Fields> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.record({ when }) },
    {
      weight: 1,
      arbitrary: oneOf<Fields>(
        { become: true, become_user: "nobody" },
        { delegate_to: "c" },
        { notify: "h" },
      ),
    },
  );
}

const playKeywords = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Fields>({ gather_facts: false }) },
  {
    weight: 4,
    arbitrary: oneOf<Fields>(
      { gather_facts: true },
      { gather_facts: false, any_errors_fatal: true },
      { gather_facts: false, max_fail_percentage: 40 },
      { gather_facts: false, force_handlers: true },
      { gather_facts: false, become: true, become_user: "nobody" },
      { gather_facts: false, order: "reverse_inventory" },
    ),
  },
);

const statement = fc.oneof({ weight: 10, arbitrary: leaf }, { weight: 1, arbitrary: block });

export const randomPlaybook = (most: number): fc.Arbitrary<RandomPlaybook> =>
  fc.record({
    plays: fc.array(
      fc.record({
        hosts: fc.oneof(
          { weight: 6, arbitrary: fc.constant("all") },
          { weight: 1, arbitrary: oneOf("a:c", "g_x", "all:!a") },
        ),
        statements: fc.array(statement, { minLength: 2, maxLength: most }),
        serial: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: oneOf(1, 2) }),
        strategy: oneOf("linear", "linear", "linear", "linear", "free", "host_pinned", "at once"),
        keywords: playKeywords,
      }),
      { minLength: 1, maxLength: 2 },
    ),
    included: fc.array(
      leaf.filter((each) => !("include_tasks" in each || "import_tasks" in each)),
      { minLength: 1, maxLength: 3 },
    ),
    check: oneOf(false, false, false, false, false, true),
    hasGone: oneOf(false, false, false, false, true),
  });

export const randomLosses: fc.Arbitrary<readonly Loss[]> = fc.array(
  fc.record({
    after: fc.nat({ max: 20 }),
    how: fc.constantFrom<Loss["how"]>("unsent", "in part", "unanswered"),
  }),
  { minLength: 1, maxLength: 2 },
);
