/** What clients may ask to be changed, as data; the answer comes back through the same decision. */
import type { AppId, Version } from "../model/app.ts";
import type { AppUpdate } from "../model/app-update.ts";
import type { DeploymentAction } from "../model/deployment.ts";
import type { GroupUpdate } from "../model/group.ts";
import type { Instance, InstanceId } from "../model/instance.ts";

export type Command =
  | { readonly kind: "createApp"; readonly update: AppUpdate; readonly force: boolean }
  | {
      readonly kind: "updateApps";
      readonly updates: readonly { readonly id: AppId; readonly update: AppUpdate }[];
      /** false: what is not said falls back to the defaults. */
      readonly partial: boolean;
      readonly create: boolean;
      readonly force: boolean;
    }
  | { readonly kind: "deleteApp"; readonly id: AppId; readonly force: boolean }
  | { readonly kind: "restartApp"; readonly id: AppId; readonly force: boolean }
  | {
      readonly kind: "killTasks";
      readonly ids: readonly InstanceId[];
      readonly scale: boolean;
      readonly wipe: boolean;
      readonly force: boolean;
    }
  | {
      readonly kind: "changeGroup";
      readonly id: AppId;
      readonly update: GroupUpdate;
      /** true: it must not exist yet. */
      readonly create: boolean;
      readonly force: boolean;
      readonly dryRun: boolean;
    }
  | { readonly kind: "deleteGroup"; readonly id: AppId; readonly force: boolean }
  | { readonly kind: "enforceRole"; readonly id: AppId; readonly enforceRole: boolean }
  | { readonly kind: "revertDeployment"; readonly id: string; readonly cancelOnly: boolean }
  | { readonly kind: "resetDelay"; readonly id: AppId };

export interface CommandResult {
  readonly deploymentId?: string;
  readonly version?: Version;
  /** An app or a group that was not there before. */
  readonly created?: boolean;
  readonly killed?: readonly Instance[];
  /** Of a dry run. */
  readonly steps?: readonly (readonly DeploymentAction[])[];
}
