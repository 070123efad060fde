/** `<work_dir>/slaves/<agent>/frameworks/<framework>/executors/<task>/runs/<container>`, with `latest` beside it. */
import { chownSync, mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";

export interface SandboxOf {
  readonly workDir: string;
  readonly agentId: string;
  readonly frameworkId: string;
  readonly taskId: string;
  readonly containerId: string;
}

export const sandboxPath = ({ workDir, agentId, frameworkId, taskId, containerId }: SandboxOf): string =>
  join(workDir, "slaves", agentId, "frameworks", frameworkId, "executors", taskId, "runs", containerId);

export const latestLink = (directory: string): string => join(dirname(directory), "latest");

export function makeSandbox(
  directory: string,
  account: { readonly uid: number; readonly gid: number } | undefined,
): void {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  if (account !== undefined) chownSync(directory, account.uid, account.gid);
  const link = latestLink(directory);
  const next = `${link}.new`;
  rmSync(next, { force: true });
  symlinkSync(directory, next);
  renameSync(next, link);
}
