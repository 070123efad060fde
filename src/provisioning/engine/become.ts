/** Who acts: become keywords, overridden by ansible_become* variables of the host that is acted on, as in Ansible. */
import { ProvisionError } from "../../base/errors.ts";
import type { Inherited } from "../playbook/model.ts";
import type { Become } from "../transport/session.ts";
import { type Frame, keyword } from "./frame.ts";
import type { PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";
import type { View } from "./view.ts";

export interface BecomeRequest {
  readonly task: Inherited;
  readonly frame: Frame;
  readonly view: View;
  readonly target: RunHost;
  readonly isDelegated: boolean;
}

const passwordNames = ["ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"];

export function becomeOf(
  play: PlayState,
  { task, frame, view, target, isDelegated }: BecomeRequest,
): Become | null {
  const own = isDelegated ? play.hostView(target) : view;
  const wanted = own.variable("ansible_become") ?? rendered(view, keyword(frame, task, "become"));
  const defaults = play.run.request.connection;
  if (!isTrue(wanted ?? defaults.become)) return null;
  const user =
    own.variable("ansible_become_user") ??
    rendered(view, keyword(frame, task, "becomeUser")) ??
    defaults.becomeUser;
  const method =
    own.variable("ansible_become_method") ??
    rendered(view, keyword(frame, task, "becomeMethod")) ??
    defaults.becomeMethod ??
    "sudo";
  if (method !== "sudo" && method !== "su") {
    throw new ProvisionError({
      code: "bad-argument",
      action: `become ${String(user ?? "root")}`,
      state: `become_method is "${String(method)}"`,
      span: keyword(frame, task, "becomeMethod")?.span,
      why: "become_method is sudo or su",
    });
  }
  const password = passwordNames.map((name) => own.variable(name)).find((value) => value !== undefined);
  const flags = own.variable("ansible_become_flags") ?? rendered(view, keyword(frame, task, "becomeFlags"));
  const flagWords =
    typeof flags === "string" && flags.trim() !== "" ? flags.trim().split(/\s+/) : defaults.becomeFlags;
  const exe = own.variable("ansible_become_exe") ?? rendered(view, keyword(frame, task, "becomeExe"));
  const secret = password === undefined || password === null ? defaults.becomePassword : String(password);
  if (secret !== undefined) play.run.request.secrets?.add(secret);
  return {
    user: String(user ?? "root"),
    method,
    ...(secret === undefined ? {} : { password: secret }),
    ...(flagWords === undefined ? {} : { flags: flagWords }),
    ...(typeof exe === "string" && exe !== "" ? { exe } : {}),
  };
}

const rendered = (view: View, node: Inherited["become"]) =>
  node === undefined ? undefined : view.value(node);

export const isTrue = (value: unknown): boolean =>
  value === true || value === 1 || (typeof value === "string" && /^(yes|true|on|1|y|t)$/i.test(value.trim()));
