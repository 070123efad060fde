/** A change of apps on its way: in steps, each of which waits for its actions to be done. */
import type { AppId, Version } from "./app.ts";
import type { InstanceId } from "./instance.ts";

export type ActionName = "StartApplication" | "ScaleApplication" | "RestartApplication" | "StopApplication";

export interface DeploymentAction {
  readonly action: ActionName;
  readonly app: AppId;
}

export interface DeploymentChange {
  readonly app: AppId;
  /** The app's version before; absent: it did not exist. */
  readonly from?: Version;
  /** The app's version after; absent: it goes. */
  readonly to?: Version;
}

export interface Deployment {
  readonly id: string;
  readonly version: Version;
  readonly changes: readonly DeploymentChange[];
  readonly steps: readonly (readonly DeploymentAction[])[];
  /** Index of the step at work; `steps.length` when all are done. */
  readonly currentStep: number;
  /** Instances that the request itself named to be killed. */
  readonly toKill?: readonly InstanceId[];
  /** The deployment that this one takes back. */
  readonly reverts?: string;
}

export const affectedApps = (deployment: Deployment): readonly AppId[] =>
  deployment.changes.map(({ app }) => app);
