/**
 * What a module is: a few pure functions over data. Nothing here touches a host, a file or a clock.
 * `modules/` imports base/ and host/ only.
 */
import type { z } from "zod";
import type { JsonObject, JsonValue } from "../../base/json.ts";
import type { HostFacts } from "../host/facts.ts";
import type { Answers, Question } from "../host/question.ts";
import type { Step, StepResult } from "../host/step.ts";

export interface Module<Args = never, State = unknown> {
  readonly kind: "host";
  readonly name: string;
  readonly summary: string;
  /** What a task may pass. Unknown keys are errors. Descriptions (`.describe`) become the docs. */
  readonly args: z.ZodType<Args>;
  /** The argument that free-form text goes to (`command: ls` → cmd), if any. */
  readonly freeForm?: string;
  /** YAML of one task, shown in the docs and run by a test. */
  readonly example: string;
  /** "host": the answers change only when this host is changed through us. "world": asked at the task's turn. */
  readonly reads: "host" | "world";
  /** Acts each time (command, shell, script, raw, …), so the law "a second run has nothing to do" does not hold. */
  readonly alwaysActs?: boolean;
  /** May run in check mode because it changes nothing (stat, slurp, setup, …). */
  readonly readOnly?: boolean;
  /** Which files of the controller the task needs: read by the engine before `ask`. */
  sources?(args: Args, context: SourceContext): readonly SourceRequest[];
  /** Called once a round. In check mode it must not ask what changes something (a POST). */
  ask(args: Args, context: ModuleContext): readonly Question[];
  read(answers: Answers, args: Args, context: ModuleContext): State;
  /** What is missing between `current` and `args`. No steps: the host is already right. */
  plan(args: Args, current: State, context: ModuleContext): Plan;
  /** What to ask after the last steps when the task registers its result: `Outcome.after` has the answers. */
  after?(args: Args, current: State, context: ModuleContext): readonly Question[];
  /** What later tasks see under `register`, beside changed/failed/msg/diff. */
  result?(current: State, outcome: Outcome, args: Args, context: ModuleContext): JsonObject;
}

export interface SourceContext {
  /** inventory_hostname. */
  readonly host: string;
}

/** `copy`, `template`, `script`, … : a file, a rendered template or a whole folder of the controller. */
export type SourceRequest =
  /** A folder of that name is answered as a tree. `keepLinks`: a tree's links are entries, not what they lead to. */
  | {
      readonly from: "file";
      readonly path: string;
      readonly in: "files" | "templates" | "tasks";
      readonly keepLinks?: boolean;
      /** A vault file travels as it is. */
      readonly keepVault?: boolean;
    }
  | {
      readonly from: "template";
      readonly path: string;
      readonly syntax?: TemplateSyntax;
      /** template_destpath. */
      readonly dest?: string;
    }
  | { readonly from: "tree"; readonly path: string }
  /** The small files that lie in a folder, with what is in them (module assemble). */
  | { readonly from: "fragments"; readonly path: string; readonly keepVault?: boolean }
  /** A path beside the playbook that may not be there yet (module fetch): answered "missing" then, never an error. */
  | { readonly from: "local"; readonly path: string };

/** How a .j2 is read, where a task departs from the usual. */
export interface TemplateSyntax {
  readonly blockStart?: string;
  readonly blockEnd?: string;
  readonly variableStart?: string;
  readonly variableEnd?: string;
  readonly commentStart?: string;
  readonly commentEnd?: string;
  readonly trimBlocks?: boolean;
  readonly lstripBlocks?: boolean;
  readonly newline?: "\n" | "\r" | "\r\n";
}

export type SourceAnswer =
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly sha256: string; readonly mode: number }
  /** Above limits.inlineBytes a file is only named: streamed by the transport. */
  | {
      readonly kind: "large";
      readonly file: string;
      readonly sha256: string;
      readonly sha1: string;
      readonly sizeBytes: number;
      readonly mode: number;
    }
  | { readonly kind: "tree"; readonly entries: readonly TreeEntry[] }
  | { readonly kind: "fragments"; readonly files: readonly Fragment[] }
  | { readonly kind: "missing" };
export interface Fragment {
  readonly name: string;
  readonly bytes: Uint8Array;
}
export interface TreeEntry {
  /** Relative to the folder asked for, with "/". */
  readonly path: string;
  readonly mode: number;
  readonly entry:
    | { readonly type: "directory" }
    | { readonly type: "link"; readonly target: string }
    | {
        readonly type: "file";
        readonly file: string;
        readonly sha256: string;
        readonly sizeBytes: number;
        /** Of a vault: what is in it. */
        readonly bytes?: Uint8Array;
      };
}

export interface ModuleContext {
  /** inventory_hostname. */
  readonly host: string;
  readonly facts: HostFacts;
  readonly check: boolean;
  /** Diffs will be shown: only then are old contents asked for. */
  readonly diff: boolean;
  /** Later tasks see the result. Not known yet when questions are asked ahead. */
  readonly registers?: boolean;
  /** In the order of `sources(args)`. */
  readonly sources: readonly SourceAnswer[];
  /** Milliseconds since the epoch at the start of the run (backup names, apt cache age). */
  readonly now: number;
  /** The round of `again`, from 0. */
  readonly round: number;
  /** What was answered in the round before. */
  readonly earlier?: Answers;
  /** Since this module was first asked on this host, for this item. */
  readonly elapsedMs: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly diffs: readonly Diff[];
  /** Ask and plan once more after these steps, of which there may be none (at most limits.planRounds times). */
  readonly again?: boolean;
  /**
   * With `again` and no steps: wait so long before asking once more (wait_for). Such rounds do not count towards
   * limits.planRounds; the module ends them itself, by `elapsedMs`.
   */
  readonly waitMs?: number;
  /** With `waitMs`: what for, if it is somebody else's doing. It is told, once, and is no round of the module's own. */
  readonly waitsFor?: string;
  /** Nobody can see whether the steps were taken (a restart): where their answer is lost they are not taken again. */
  readonly leavesNoTrace?: boolean;
  /** The task cannot be done: no step is taken and the task fails with this message. */
  readonly fail?: string;
  /** The steps of this round only look or prepare (slurp, an upload that is compared): not a change. */
  readonly unchanged?: boolean;
  /** Skipped with this message (command with `creates`). */
  readonly skip?: string;
}
export interface Diff {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  /** Never shown. */
  readonly secret?: boolean;
}
export interface Outcome {
  readonly after?: Answers;
  readonly changed: boolean;
  readonly failed: boolean;
  readonly steps: readonly { readonly step: Step; readonly result: StepResult }[];
}

/** The second, small kind: acts on the controller's own state, through effects that the engine carries out. */
export interface ControllerModule<Args = never> {
  readonly kind: "controller";
  readonly name: string;
  readonly summary: string;
  readonly args: z.ZodType<Args>;
  readonly freeForm?: string;
  readonly example: string;
  sources?(args: Args, context: SourceContext): readonly SourceRequest[];
  run(args: Args, context: ControllerContext): ControllerOutcome;
}
export interface ControllerContext {
  readonly host: string;
  readonly check: boolean;
  readonly sources: readonly SourceAnswer[];
  /** Evaluates a bare expression (assert's `that`, debug's `var`) in the task's scope. */
  evaluate(expression: string): JsonValue;
}
export interface ControllerOutcome {
  readonly result: JsonObject;
  readonly changed?: boolean;
  readonly failed?: boolean;
  readonly effects?: readonly Effect[];
}
export type VarsFiles =
  | { readonly file: string }
  | {
      readonly dir: string;
      /** 0 is without limit. */
      readonly depth: number;
      readonly filesMatching?: string;
      readonly ignoreFiles: readonly string[];
      readonly extensions: readonly string[];
      readonly ignoreUnknownExtensions: boolean;
    };
export type Effect =
  | { readonly effect: "set-facts"; readonly facts: JsonObject; readonly cacheable: boolean }
  /** `ansible_facts` in a host module's result: the engine makes this effect of it. */
  | { readonly effect: "add-facts"; readonly facts: JsonObject }
  | { readonly effect: "include-vars"; readonly vars: JsonObject }
  /** Files of variables, found and read by the engine, rendered when used. `merge` is hash_behaviour. */
  | {
      readonly effect: "load-vars";
      readonly from: VarsFiles;
      /** Put below this one variable instead of at the top. */
      readonly name?: string;
      readonly merge: boolean;
    }
  | {
      readonly effect: "add-host";
      readonly name: string;
      readonly groups: readonly string[];
      readonly vars: JsonObject;
    }
  | { readonly effect: "group-by"; readonly key: string; readonly parents: readonly string[] }
  | {
      readonly effect: "gather-facts";
      readonly subset: readonly string[];
      readonly filter: readonly string[];
      readonly timeoutMs?: number;
      readonly factPath?: string;
    }
  | { readonly effect: "meta"; readonly action: string }
  | {
      readonly effect: "pause";
      readonly seconds: number | null;
      /** In which its length is told. */
      readonly unit: "seconds" | "minutes";
      readonly prompt: string;
      readonly echo: boolean;
    }
  | { readonly effect: "show"; readonly text: string; readonly verbosity: number };

// biome-ignore lint/suspicious/noExplicitAny: the registry holds modules of different Args; each is entered only through its own zod schema.
export type AnyModule = Module<any, any> | ControllerModule<any>;
