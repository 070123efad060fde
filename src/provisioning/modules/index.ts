/**
 * The modules: one file each, pure functions from arguments and answers to steps (contract: module.ts).
 *
 * A task's arguments are read by the module's zod schema (arguments.ts). `ask` says what must be known of the host,
 * `read` turns the answers into a state, `plan` says what is missing, `result` what later tasks see. The engine does
 * the rest: renders, asks, executes, counts as changed. What several modules share stands in files of its own:
 * attributes.ts (owner, group, mode), plan-file.ts (contents), edit-file.ts (text files), run-guards.ts (commands).
 *
 * Not here: how questions and steps become sh (host/), templates and expressions (vars/), files of the controller
 * (the engine reads what `sources` names). No module touches a host, a file or a clock.
 */

import type { AnyModule } from "./module.ts";
import { moduleArguments } from "./module-arguments.ts";

type Load = () => Promise<{ readonly default: AnyModule }>;

/** Loaded one by one, when a playbook uses them: zod and the modules are most of the start-up otherwise. */
const builtin: Readonly<Record<string, Load>> = {
  add_host: () => import("./add-host.ts"),
  apt: () => import("./apt.ts"),
  apt_key: () => import("./apt-key.ts"),
  apt_repository: () => import("./apt-repository.ts"),
  assemble: () => import("./assemble.ts"),
  assert: () => import("./assert.ts"),
  async_status: () => import("./async-status.ts"),
  blockinfile: () => import("./blockinfile.ts"),
  command: () => import("./command.ts"),
  copy: () => import("./copy.ts"),
  cron: () => import("./cron.ts"),
  deb822_repository: () => import("./deb822-repository.ts"),
  debconf: () => import("./debconf.ts"),
  debug: () => import("./debug.ts"),
  dnf: () => import("./dnf.ts"),
  dpkg_selections: () => import("./dpkg-selections.ts"),
  fail: () => import("./fail.ts"),
  fetch: () => import("./fetch.ts"),
  file: () => import("./file.ts"),
  find: () => import("./find.ts"),
  get_url: () => import("./get-url.ts"),
  getent: () => import("./getent.ts"),
  git: () => import("./git.ts"),
  group: () => import("./group.ts"),
  group_by: () => import("./group-by.ts"),
  hostname: () => import("./hostname.ts"),
  include_vars: () => import("./include-vars.ts"),
  known_hosts: () => import("./known-hosts.ts"),
  lineinfile: () => import("./lineinfile.ts"),
  meta: () => import("./meta.ts"),
  package: () => import("./package.ts"),
  package_facts: () => import("./package-facts.ts"),
  pause: () => import("./pause.ts"),
  ping: () => import("./ping.ts"),
  raw: () => import("./raw.ts"),
  reboot: () => import("./reboot.ts"),
  replace: () => import("./replace.ts"),
  script: () => import("./script.ts"),
  service: () => import("./service.ts"),
  service_facts: () => import("./service-facts.ts"),
  set_fact: () => import("./set-fact.ts"),
  setup: () => import("./setup.ts"),
  shell: () => import("./shell.ts"),
  slurp: () => import("./slurp.ts"),
  stat: () => import("./stat.ts"),
  systemd: () => import("./systemd.ts"),
  sysvinit: () => import("./sysvinit.ts"),
  tempfile: () => import("./tempfile.ts"),
  template: () => import("./template.ts"),
  unarchive: () => import("./unarchive.ts"),
  uri: () => import("./uri.ts"),
  user: () => import("./user.ts"),
  validate_argument_spec: () => import("./validate-argument-spec.ts"),
  wait_for: () => import("./wait-for.ts"),
  wait_for_connection: () => import("./wait-for-connection.ts"),
};
/** Modules that Ansible keeps in collections; their short names work too. */
const posix: Readonly<Record<string, Load>> = {
  authorized_key: () => import("./authorized-key.ts"),
  mount: () => import("./mount.ts"),
  sysctl: () => import("./sysctl.ts"),
};
const general: Readonly<Record<string, Load>> = {
  timezone: () => import("./timezone.ts"),
  ufw: () => import("./ufw.ts"),
};

const collections: Readonly<Record<string, Readonly<Record<string, Load>>>> = {
  "ansible.builtin": builtin,
  "ansible.legacy": builtin,
  "ansible.posix": posix,
  "community.general": general,
};
const loaders: Readonly<Record<string, Load>> = { ...builtin, ...posix, ...general };

/** Other names of the same module. */
const synonyms: Readonly<Record<string, string>> = { systemd_service: "systemd", gather_facts: "setup" };

export const moduleNames: readonly string[] = Object.keys(loaders).sort();

/** The short name of a module by any spelling, or undefined. */
export function resolveModule(name: string): string | undefined {
  const dot = name.lastIndexOf(".");
  const own = name.slice(dot + 1);
  const short = synonyms[own] ?? own;
  const home = dot === -1 ? loaders : (collections[name.slice(0, dot)] ?? {});
  return Object.hasOwn(home, short) ? short : undefined;
}

const loaded = new Map<string, Promise<AnyModule>>();

/** A module by its short name. */
export function loadModule(name: string): Promise<AnyModule> {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const load = Object.hasOwn(loaders, name) ? loaders[name] : undefined;
  if (load === undefined) return Promise.reject(new Error(`there is no module "${name}"`));
  const module = load().then((file) => file.default);
  loaded.set(name, module);
  return module;
}

/** What the loader of playbooks needs to know, without loading a module: playbook/model.ts's ModuleCatalogue. */
export const catalogue = {
  names: moduleNames,
  resolve: resolveModule,
  takesFreeForm: (module: string): boolean => moduleArguments[module]?.freeForm !== undefined,
  /** The argument that free-form text becomes. */
  freeFormArgument: (module: string): string | undefined => moduleArguments[module]?.freeForm,
  /** Undefined: any name goes (set_fact, add_host). */
  argumentNames: (module: string): readonly string[] | undefined =>
    moduleArguments[module]?.names?.split(" "),
};
