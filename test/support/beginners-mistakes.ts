/** What people write who are new to YAML, to playbooks, to inventories: name, files, and what they type. */

type Mistake = readonly [name: string, files: Readonly<Record<string, string>>, argv?: readonly string[]];

const P = (tasks: string): string => `- hosts: all\n  gather_facts: false\n  tasks:\n${tasks}`;
const S = "- hosts: all\n  gather_facts: false\n  tasks: [{ping: }]\n";
const INI = (text: string): Record<string, string> => ({ "site.yml": S, "hosts.ini": text });
const inventory = ["hosts.ini", "site.yml", "--syntax-check"];

export const mistakes: readonly Mistake[] = [
  ["tab", { "site.yml": "- hosts: all\n  tasks:\n\t- ping:\n" }],
  ["tab2", { "site.yml": "- hosts: all\n  tasks:\n    - ping:\n\t  when: true\n" }],
  ["missing colon", { "site.yml": "- hosts: all\n  tasks\n    - ping:\n" }],
  ["no space after colon", { "site.yml": "- hosts:all\n  tasks:\n    - ping:\n" }],
  ["no hosts", { "site.yml": "- tasks:\n    - ping:\n" }],
  ["tasks at wrong indent", { "site.yml": "- hosts: all\ntasks:\n  - ping:\n" }],
  ["no dash play", { "site.yml": "hosts: all\ntasks:\n  - ping:\n" }],
  ["only tasks in file", { "site.yml": "- name: x\n  ping:\n" }],
  ["missing dash", { "site.yml": P("    name: x\n    ping:\n") }],
  ["task two modules", { "site.yml": P("    - name: x\n      ping:\n      command: ls\n") }],
  ["module typo", { "site.yml": P("    - comand: ls\n") }],
  ["keyword typo", { "site.yml": P("    - ping:\n      wen: true\n") }],
  ["module args indentation", { "site.yml": P("    - copy:\n      src: a\n      dest: /b\n") }],
  [
    "keyword inside module",
    {
      "site.yml": P(
        "    - command: ls\n      args: {chdir: /}\n    - file:\n        path: /x\n        state: touch\n        when: true\n",
      ),
    },
  ],
  ["unquoted braces", { "site.yml": P("    - debug:\n        msg: {{ foo }}\n") }],
  ["unquoted braces start", { "site.yml": P("    - command: {{ foo }} bar\n") }],
  ["when with braces undefined", { "site.yml": P('    - ping:\n      when: "{{ xy }}"\n') }],
  ["mode 644", { "site.yml": P("    - copy: {content: x, dest: /tmp/settings, mode: 644}\n") }],
  ["mode bad", { "site.yml": P("    - copy: {content: x, dest: /tmp/settings, mode: rwx}\n") }],
  [
    "register typo",
    {
      "site.yml": P('    - command: ls\n      register: result\n    - debug: {msg: "{{ reslt.stdout }}"}\n'),
    },
  ],
  [
    "register attr typo",
    {
      "site.yml": P('    - command: ls\n      register: result\n    - debug: {msg: "{{ result.stdot }}"}\n'),
    },
  ],
  ["undefined var", { "site.yml": P('    - debug: {msg: "{{ nope }}"}\n') }],
  [
    "missing role",
    { "site.yml": "- hosts: all\n  roles: [webb]\n", "roles/web/tasks/main.yml": "- ping:\n" },
  ],
  ["missing role none", { "site.yml": "- hosts: all\n  roles: [webb]\n" }],
  ["missing copy src", { "site.yml": P("    - copy: {src: fle.txt, dest: /tmp/x}\n"), "files/file.txt": "" }],
  ["missing template", { "site.yml": P("    - template: {src: a.j2, dest: /tmp/x}\n") }],
  ["missing include", { "site.yml": P("    - include_tasks: x.yml\n") }],
  ["missing import", { "site.yml": P("    - import_tasks: x.yml\n") }],
  ["missing vars_files", { "site.yml": "- hosts: all\n  vars_files: [v.yml]\n  tasks: [{ping: }]\n" }],
  ["missing playbook", {}],
  [
    "template error",
    {
      "site.yml": P("    - template: {src: a.j2, dest: /tmp/x}\n"),
      "templates/a.j2": "line\n{% if x %}\nno end\n",
    },
  ],
  [
    "template undefined",
    {
      "site.yml": P("    - template: {src: a.j2, dest: /tmp/x}\n"),
      "templates/a.j2": "line\nfoo {{ bar }}\n",
    },
  ],
  [
    "template unknown filter",
    { "site.yml": P("    - template: {src: a.j2, dest: /tmp/x}\n"), "templates/a.j2": "{{ 1 | upperr }}\n" },
  ],
  ["expr syntax", { "site.yml": P('    - debug: {msg: "{{ 1 + }}"}\n') }],
  ["unclosed expr", { "site.yml": P('    - debug: {msg: "{{ foo"}\n') }],
  ["when syntax", { "site.yml": P("    - ping:\n      when: a = 1\n") }],
  ["when &&", { "site.yml": P("    - ping:\n      when: a && b\n") }],
  ["dup keys", { "site.yml": P("    - name: a\n      ping:\n      name: b\n") }],
  ["dup args", { "site.yml": P("    - file: {path: /a, state: file, path: /b}\n") }],
  ["unknown arg", { "site.yml": P("    - file: {pth: /a, state: touch}\n") }],
  ["missing required arg", { "site.yml": P("    - copy: {src: x}\n"), "files/x": "" }],
  ["bad choice", { "site.yml": P("    - file: {path: /a, state: dir}\n") }],
  ["bad bool", { "site.yml": P("    - file: {path: /a, state: touch, force: perhaps}\n") }],
  ["bad int", { "site.yml": P("    - wait_for: {port: abc}\n") }],
  ["list for string", { "site.yml": P("    - file: {path: [a, b], state: touch}\n") }],
  ["string for list of tasks", { "site.yml": "- hosts: all\n  tasks: ping\n" }],
  ["tasks map", { "site.yml": "- hosts: all\n  tasks:\n    ping:\n" }],
  ["become yes typo", { "site.yml": "- hosts: all\n  become: ye\n  tasks: [{ping: }]\n" }],
  ["serial bad", { "site.yml": "- hosts: all\n  serial: x\n  tasks: [{ping: }]\n" }],
  ["strategy bad", { "site.yml": "- hosts: all\n  strategy: fast\n  tasks: [{ping: }]\n" }],
  [
    "hosts typo",
    { "site.yml": "- hosts: wbe\n  tasks: [{ping: }]\n", "h.ini": "[web]\na ansible_connection=local\n" },
    ["h.ini", "site.yml", "-C"],
  ],
  [
    "notify no handler",
    {
      "site.yml":
        P("    - command: ls\n      notify: restat app\n") +
        "  handlers:\n    - {name: restart app, ping: }\n",
    },
  ],
  ["loop not list", { "site.yml": P("    - debug: {msg: x}\n      loop: abc\n") }],
  [
    "loop undefined",
    { "site.yml": P('    - debug: {msg: x}\n      loop: "{{ itms }}"\n      vars: {items: [1]}\n') },
  ],
  ["item outside loop", { "site.yml": P('    - debug: {msg: "{{ item }}"}\n') }],
  ["with_ typo", { "site.yml": P("    - debug: {msg: x}\n      with_item: [1]\n") }],
  ["with_itmes", { "site.yml": P("    - debug: {msg: x}\n      with_itmes: [1]\n") }],
  ["quote unbalanced", { "site.yml": P('    - command: echo "foo\n') }],
  ["quote yaml", { "site.yml": P("    - debug: {msg: 'it's me'}\n") }],
  ["colon in value", { "site.yml": P("    - debug:\n        msg: note: this\n") }],
  ["colon in name", { "site.yml": P("    - name: foo: bar\n      ping:\n") }],
  ["anchor", { "site.yml": P("    - command: *foo\n") }],
  ["percent", { "site.yml": P("    - debug:\n        msg: %foo\n") }],
  ["at", { "site.yml": P("    - debug:\n        msg: @foo\n") }],
  ["windows line ends", { "site.yml": P("    - comand: ls\n").replaceAll("\n", "\r\n") }],
  ["bom", { "site.yml": `\ufeff${P("    - comand: ls\n")}` }],
  ["block without list", { "site.yml": P("    - block:\n        ping:\n") }],
  ["rescue without block", { "site.yml": P("    - ping:\n      rescue: [{ping: }]\n") }],
  ["role in tasks", { "site.yml": P("    - roles: [a]\n") }],
  ["include_role no name", { "site.yml": P("    - include_role: {}\n") }],
  ["set_fact no args", { "site.yml": P("    - set_fact:\n") }],
  ["assert no that", { "site.yml": P("    - assert: {msg: x}\n") }],
  ["vars list", { "site.yml": "- hosts: all\n  vars: [a, b]\n  tasks: [{ping: }]\n" }],
  [
    "vars name dash",
    { "site.yml": '- hosts: all\n  vars: {my-var: 1}\n  tasks: [{debug: {msg: "{{ my-var }}"}}]\n' },
  ],
  [
    "vars recursion",
    {
      "site.yml":
        '- hosts: all\n  gather_facts: false\n  vars: {a: "{{ b }}", b: "{{ a }}"}\n  tasks: [{debug: {msg: "{{ a }}"}}]\n',
    },
  ],
  ["filter typo", { "site.yml": P("    - debug: {msg: \"{{ 'a' | uper }}\"}\n") }],
  ["test typo", { "site.yml": P('    - debug: {msg: "{{ a is definde }}"}\n') }],
  ["lookup typo", { "site.yml": P("    - debug: {msg: \"{{ lookup('fle', 'x') }}\"}\n") }],
  ["lookup missing file", { "site.yml": P("    - debug: {msg: \"{{ lookup('file', 'x') }}\"}\n") }],
  ["type error", { "site.yml": P("    - debug: {msg: \"{{ 1 + 'a' }}\"}\n") }],
  ["galaxy module", { "site.yml": P("    - community.general.ufwx: {rule: allow}\n") }],
  ["galaxy module 2", { "site.yml": P("    - ansible.posix.firewalld: {service: http}\n") }],
  ["win module", { "site.yml": P("    - win_copy: {src: a, dest: b}\n") }],
  ["yum", { "site.yml": P("    - yum: name=httpd state=present\n") }],
  ["docker_container", { "site.yml": P("    - docker_container: {name: x}\n") }],
  ["inv missing", { "site.yml": S }, inventory],
  ["inv missing near", { "site.yml": S, "host.ini": "a\n" }, inventory],
  ["playbook empty", { "site.yml": "---\n" }],
  ["inv empty", INI(""), inventory],
  ["inv no bracket", INI("[web\na\n"), inventory],
  ["inv equals spaced", INI("[web]\na ansible_connection = local\n"), inventory],
  ["inv colon", INI("[web]\na: ansible_connection=local\n"), inventory],
  ["inv host with port text", INI("[web]\na:ssh\n"), inventory],
  ["inv group vars section typo", INI("[web]\na\n[web:var]\nx=1\n"), inventory],
  ["inv children unknown", INI("[all:children]\nweb\n"), inventory],
  ["inv children not defined", INI("[prod:children]\nwebb\n[web]\na\n"), inventory],
  ["inv quote", INI("[web]\na x='foo\n"), inventory],
  ["inv range bad", INI("[web]\na[1-3]\n"), inventory],
  ["inv range open", INI("[web]\na[1:3\n"), inventory],
  [
    "inv yaml list",
    { "site.yml": S, "hosts.yml": "all:\n  hosts:\n    - a\n    - b\n" },
    ["hosts.yml", "site.yml", "--syntax-check"],
  ],
  [
    "inv yaml host key at group",
    { "site.yml": S, "hosts.yml": "web:\n  a:\n  b:\n" },
    ["hosts.yml", "site.yml", "--syntax-check"],
  ],
  [
    "inv yaml tab",
    { "site.yml": S, "hosts.yml": "all:\n\thosts:\n\t\ta:\n" },
    ["hosts.yml", "site.yml", "--syntax-check"],
  ],
  ["inv dir empty", { "site.yml": S, "inv/.keep": "" }, ["inv", "site.yml", "--syntax-check"]],
  ["inv host group same", INI("[web]\nweb\n"), inventory],
  [
    "inv exec not executable",
    { "site.yml": S, "inv.sh": "#!/bin/sh\necho '{}'\n" },
    ["inv.sh", "site.yml", "--syntax-check"],
  ],
  ["inv one host no comma", { "site.yml": S }, ["localhost", "site.yml", "--syntax-check"]],
  [
    "group_vars tab",
    { ...INI("[web]\na ansible_connection=local\n"), "group_vars/web.yml": "x:\n\ty: 1\n" },
    inventory,
  ],
  [
    "group_vars list",
    { ...INI("[web]\na ansible_connection=local\n"), "group_vars/web.yml": "- x: 1\n" },
    inventory,
  ],
  [
    "group_vars equals",
    { ...INI("[web]\na ansible_connection=local\n"), "group_vars/web.yml": "x=1\n" },
    inventory,
  ],
  [
    "group_vars braces",
    { ...INI("[web]\na ansible_connection=local\n"), "group_vars/web.yml": "x: {{ y }}\n" },
    inventory,
  ],
  [
    "host_vars dup",
    { ...INI("[web]\na ansible_connection=local\n"), "host_vars/a.yml": "x: 1\nx: 2\n" },
    inventory,
  ],
  ["extra vars bad", { "site.yml": S }, ["localhost,", "site.yml", "--syntax-check", "-e", "x"]],
  [
    "extra vars missing file",
    { "site.yml": S },
    ["localhost,", "site.yml", "--syntax-check", "-e", "@v.yml"],
  ],
  ["extra vars json bad", { "site.yml": S }, ["localhost,", "site.yml", "--syntax-check", "-e", '{"a": 1']],
  ["limit typo", INI("[web]\nweb1 ansible_connection=local\n"), [...inventory, "-l", "wbe1"]],
  [
    "ansible.cfg bad",
    { "site.yml": S, "ansible.cfg": "forks = 5\nhello\n" },
    ["localhost,", "site.yml", "--syntax-check"],
  ],
  [
    "role meta bad",
    {
      "site.yml": "- hosts: all\n  roles: [r]\n",
      "roles/r/meta/main.yml": "dependencies: base\n",
      "roles/r/tasks/main.yml": "- ping:\n",
    },
  ],
  [
    "role tasks map",
    { "site.yml": "- hosts: all\n  roles: [r]\n", "roles/r/tasks/main.yml": "tasks:\n  - ping:\n" },
  ],
  [
    "role defaults list",
    {
      "site.yml": "- hosts: all\n  roles: [r]\n",
      "roles/r/defaults/main.yml": "- a: 1\n",
      "roles/r/tasks/main.yml": "- ping:\n",
    },
  ],
  [
    "hbs error",
    { "site.yml": P("    - template: {src: a.hbs, dest: /tmp/x}\n"), "templates/a.hbs": "{{#if x}}\n" },
  ],
];
