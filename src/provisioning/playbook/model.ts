/**
 * Plays, blocks, tasks, handlers and roles as loaded: every keyword checked, every value still a template with its
 * place. Filled in by playbook/load-*.ts, run by engine/.
 */
import type { Span } from "../../base/errors.ts";
import type { MapNode, ScalarNode, SourceNode } from "../source/node.ts";

export interface Playbook {
  readonly file: string;
  readonly plays: readonly Play[];
}

/** Keywords that plays, roles, blocks and tasks share; the inner one wins. Absent means inherited. */
export interface Inherited {
  readonly vars?: MapNode;
  /** Of an include: its `vars` win over set_fact and register, as role params do. Those of an import do not. */
  readonly varsAreParams?: true;
  readonly environment?: readonly SourceNode[];
  readonly become?: SourceNode;
  readonly becomeUser?: SourceNode;
  readonly becomeMethod?: SourceNode;
  readonly becomeFlags?: SourceNode;
  readonly becomeExe?: SourceNode;
  readonly remoteUser?: SourceNode;
  readonly connection?: SourceNode;
  readonly port?: SourceNode;
  readonly tags: readonly Tag[];
  readonly when: readonly Condition[];
  readonly checkMode?: SourceNode;
  readonly diff?: SourceNode;
  readonly noLog?: SourceNode;
  readonly ignoreErrors?: SourceNode;
  readonly ignoreUnreachable?: SourceNode;
  readonly anyErrorsFatal?: SourceNode;
  readonly throttle?: SourceNode;
  readonly timeout?: SourceNode;
  readonly runOnce?: SourceNode;
  readonly delegateTo?: SourceNode;
  readonly delegateFacts?: SourceNode;
  readonly moduleDefaults?: MapNode;
  readonly debugger?: SourceNode;
}

/** A name, or a template that makes one or several: see engine/tag-names.ts. */
export type Tag = string | ScalarNode;

/** Bare Jinja, without braces. */
export interface Condition {
  readonly expression: string | boolean;
  readonly span: Span;
}

export interface Play extends Inherited {
  readonly kind: "play";
  readonly name: string;
  readonly span: Span;
  readonly hosts: SourceNode;
  readonly gatherFacts: SourceNode | undefined;
  readonly gatherSubset?: SourceNode;
  readonly gatherTimeout?: SourceNode;
  readonly factPath?: SourceNode;
  readonly strategy: SourceNode | undefined;
  readonly serial: SourceNode | undefined;
  readonly maxFailPercentage?: SourceNode;
  readonly order?: SourceNode;
  readonly forceHandlers?: SourceNode;
  readonly varsPrompt: readonly VarsPrompt[];
  readonly varsFiles: readonly SourceNode[];
  readonly preTasks: readonly Statement[];
  readonly roles: readonly RoleInvocation[];
  readonly tasks: readonly Statement[];
  readonly postTasks: readonly Statement[];
  readonly handlers: readonly Statement[];
  /** The folder of the playbook: where files/, templates/ and roles/ are looked for. */
  readonly baseDir: string;
}

export interface VarsPrompt {
  readonly name: string;
  readonly prompt: string;
  readonly private: boolean;
  readonly default?: SourceNode;
  readonly confirm: boolean;
  /** The answer's hash is kept, as for /etc/shadow. */
  readonly encrypt?: {
    readonly algorithm: "sha256" | "sha512";
    readonly salt: string | undefined;
    readonly saltSize: number;
  };
  readonly span: Span;
}

/** A role in its place: dependencies stand before it in `Play.roles`' expansion, done by the loader. */
export interface RoleInvocation extends Inherited {
  readonly kind: "role";
  readonly role: Role;
  readonly params: MapNode | undefined;
  /** Names it with its parameters, unless it allows duplicates: as a dependency it is taken once by each host. */
  readonly once?: string;
  /** The roles that depend on it, outermost first. */
  readonly within?: readonly RoleInvocation[];
  readonly span: Span;
}

export interface Role {
  readonly name: string;
  readonly dir: string;
  readonly defaults: MapNode | undefined;
  readonly vars: MapNode | undefined;
  readonly tasks: readonly Statement[];
  readonly handlers: readonly Statement[];
  /** Already loaded, outermost first. `allowDuplicates` decides whether a second one runs again. */
  readonly dependencies: readonly RoleInvocation[];
  readonly allowDuplicates: boolean;
}

export type Statement = Task | Block | IncludeTasks | IncludeRole;

export interface Block extends Inherited {
  readonly kind: "block";
  readonly name: string;
  readonly span: Span;
  readonly block: readonly Statement[];
  readonly rescue: readonly Statement[];
  readonly always: readonly Statement[];
  /** Ours: taken through its end by N hosts at a time; stops at the first host that does not come back. */
  readonly rolling?: SourceNode;
  readonly notify: readonly SourceNode[];
  /** Only on handlers: a block may be a handler, notified by its name or a topic. */
  readonly listen: readonly string[];
  readonly role: Role | undefined;
  /** Made by import_role: the whole play sees the role's vars and defaults. */
  readonly isRole?: true;
  /** Names this import of the role: its tasks and its handlers belong together. */
  readonly use?: string;
  /** Of a role that the imported one depends on: see RoleInvocation.once. */
  readonly once?: string;
  /** Only around what include_tasks loads: handlers of the roles imported there, which now join the play's. */
  readonly handlers?: readonly Statement[];
}

export interface Task extends Inherited {
  readonly kind: "task";
  readonly name: SourceNode | undefined;
  readonly span: Span;
  /** As written, e.g. "ansible.builtin.apt"; `module` is the short name. */
  readonly action: string;
  readonly module: string;
  readonly args: TaskArgs;
  readonly loop: Loop | undefined;
  readonly register: string | undefined;
  readonly changedWhen: readonly Condition[] | undefined;
  readonly failedWhen: readonly Condition[] | undefined;
  readonly until: readonly Condition[] | undefined;
  readonly retries?: SourceNode;
  readonly delay?: SourceNode;
  readonly notify: readonly SourceNode[];
  /** Only on handlers. */
  readonly listen: readonly string[];
  readonly async?: SourceNode;
  readonly poll?: SourceNode;
  /** Ours, on handlers and blocks: see Block.rolling. */
  readonly rolling?: SourceNode;
  /** The role it belongs to, for lookups of files and for role vars. */
  readonly role: Role | undefined;
  /** The folder that relative paths start from: role dir, or the playbook's. */
  readonly baseDir: string;
}

export interface TaskArgs {
  /** `module: {a: 1}` or `key=value` forms, split. */
  readonly map: MapNode;
  /** The free-form text of command, shell, raw, script, meta, … */
  readonly freeForm: SourceNode | undefined;
  /** `args: "{{ dict }}"` or `module: "{{ dict }}"`. */
  readonly variable: SourceNode | undefined;
}

export interface Loop {
  /** "loop", or the name after `with_`: items, dict, fileglob, first_found, sequence, together, nested, … */
  readonly form: string;
  readonly over: SourceNode;
  readonly loopVar: string;
  readonly indexVar: string | undefined;
  readonly label: SourceNode | undefined;
  readonly pause: SourceNode | undefined;
  readonly extended: boolean;
  /** Whether `ansible_loop` holds all items, which each item's result repeats. */
  readonly extendedAllItems: boolean;
  /** After an item these end the loop, if they all hold. */
  readonly breakWhen: readonly Condition[];
  readonly span: Span;
}

/** include_tasks: loaded at its turn, by `load`. import_tasks is expanded by the loader and never seen here. */
export interface IncludeTasks extends Inherited {
  readonly kind: "include-tasks";
  readonly name: SourceNode | undefined;
  readonly span: Span;
  readonly file: SourceNode;
  /** Only on handlers. */
  readonly listen: readonly string[];
  readonly apply: MapNode | undefined;
  readonly loop: Loop | undefined;
  readonly register: string | undefined;
  readonly role: Role | undefined;
  readonly baseDir: string;
  /** Reads and checks the file; `path` is rendered. Throws ProvisionError. */
  load(path: string): readonly Statement[];
}
export interface IncludeRole extends Inherited {
  readonly kind: "include-role";
  readonly name: SourceNode | undefined;
  readonly span: Span;
  readonly roleName: SourceNode;
  readonly tasksFrom: SourceNode | undefined;
  readonly varsFrom: SourceNode | undefined;
  readonly defaultsFrom: SourceNode | undefined;
  readonly handlersFrom: SourceNode | undefined;
  readonly public: SourceNode | undefined;
  readonly allowDuplicates: SourceNode | undefined;
  readonly apply: MapNode | undefined;
  readonly loop: Loop | undefined;
  readonly register: string | undefined;
  readonly role: Role | undefined;
  readonly baseDir: string;
  load(request: {
    readonly role: string;
    readonly tasksFrom?: string;
    readonly varsFrom?: string;
    readonly defaultsFrom?: string;
    readonly handlersFrom?: string;
  }): RoleInvocation;
}

/** What the loader must know of modules without importing them. */
export interface ModuleCatalogue {
  /** Short name of a module by any spelling (`copy`, `ansible.builtin.copy`), or undefined. */
  resolve(name: string): string | undefined;
  /** All short names, for "did you mean". */
  readonly names: readonly string[];
  takesFreeForm(module: string): boolean;
  /** The argument that free-form text becomes (`cmd`), if it has a name. */
  freeFormArgument(module: string): string | undefined;
  /** Argument names incl. aliases, for checks at load time. */
  argumentNames(module: string): readonly string[] | undefined;
}
