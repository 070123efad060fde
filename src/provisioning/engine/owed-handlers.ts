/**
 * A handler that was notified is owed until it ran, even by a run that died in between: its marker is on the host's
 * disk before the step that notifies it, in the same message. Root keeps markers under /var/lib/provision, others
 * under their own state folder.
 */
import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { shellQuote } from "../../base/shell-quote.ts";
import type { Frame } from "../transport/session.ts";
import type { Identity } from "./identity.ts";
import { limits } from "./limits.ts";
import type { Machine } from "./machine.ts";
import type { Handler, PlayState } from "./play-state.ts";
import type { RunHost } from "./run-host.ts";

export interface OwedMarker {
  readonly key: string;
  readonly identity: Identity;
  readonly machine: Machine;
  /** False once the answer of the message that writes it was lost: it is written again, and taken off all the same. */
  readonly isSure: boolean;
}

/** What a marker says: one line of JSON. */
export interface OwedNote {
  readonly playbook: string;
  readonly role: string;
  readonly handler: string;
}

export const playbookKey = (file: string): string => `${basename(dirname(file))}/${basename(file)}`;

export const noteOf = (play: PlayState, handler: Handler): OwedNote => ({
  playbook: playbookKey(play.playbookFile),
  role: handler.role?.name ?? "",
  handler: writtenName(handler),
});

/** As it stands in the playbook: what it renders to may differ from run to run. */
export function writtenName(handler: Handler): string {
  if (handler.kind === "block") return handler.name;
  if (handler.name?.kind === "scalar") return String(handler.name.value);
  return handler.kind === "task" ? handler.module : "include_tasks";
}

const markerName = (note: OwedNote): string =>
  createHash("sha256")
    .update(JSON.stringify([note.playbook, note.role, note.handler]))
    .digest("hex")
    .slice(0, 24);

/** Sets d to the folder of the user at hand. */
const folder = `if [ "$(id -u)" = 0 ]; then d=/var/lib/provision/owed; else d=\${XDG_STATE_HOME:-$HOME/.local/state}/provision/owed; fi`;

/** Frames to be put ahead of a step that notifies; those already on disk are not written twice. */
export function owedFrames(
  play: PlayState,
  host: RunHost,
  machine: Machine,
  identity: Identity,
  handlers: readonly Handler[],
): readonly Frame[] {
  const notes = handlers
    .map((handler) => noteOf(play, handler))
    .filter((note) => host.owed.get(markerName(note))?.isSure !== true);
  if (notes.length === 0) return [];
  for (const note of notes)
    host.owed.set(markerName(note), { key: markerName(note), identity, machine, isSure: true });
  const writes = notes.map((note) => {
    const path = `"$d"/${markerName(note)}`;
    return `printf '%s\\n' ${shellQuote(JSON.stringify(note))} >${path} || exit 1`;
  });
  const script = [folder, 'mkdir -p "$d" || exit 1', ...writes, "exit 0"].join("\n");
  return [{ kind: "ask", script, timeoutMs: limits.questionTimeoutMs }];
}

/** The handlers ran: nothing is owed any more. One message an identity. */
export async function forgetOwed(
  play: PlayState,
  host: RunHost,
  handlers: readonly Handler[],
): Promise<void> {
  const byIdentity = new Map<string, OwedMarker[]>();
  for (const handler of handlers) {
    const marker = host.owed.get(markerName(noteOf(play, handler)));
    if (marker === undefined) continue;
    host.owed.delete(marker.key);
    byIdentity.set(marker.identity.key, [...(byIdentity.get(marker.identity.key) ?? []), marker]);
  }
  for (const markers of byIdentity.values()) {
    const [first] = markers;
    if (first !== undefined)
      await removeMarkers(
        first.machine,
        first.identity,
        markers.map(({ key }) => key),
      );
  }
}

export async function removeMarkers(
  machine: Machine,
  identity: Identity,
  keys: readonly string[],
): Promise<void> {
  const files = keys.map((key) => `"$d"/${key}`).join(" ");
  const script = `${folder}\nrm -f -- ${files}; exit 0`;
  await machine.run(identity, [{ kind: "ask", script, timeoutMs: limits.questionTimeoutMs }]);
}

/** Part of the first message: lists what both root and the login user owe. */
export const owedListScript = `
for d in /var/lib/provision/owed "\${XDG_STATE_HOME:-$HOME/.local/state}/provision/owed"; do
for f in "$d"/*; do [ -f "$f" ] || continue; printf '%s ' "$d"; cat "$f"; done; done 2>/dev/null; exit 0`;

export interface OwedFound extends OwedNote {
  readonly byRoot: boolean;
}

export function readOwed(stdout: Uint8Array): readonly OwedFound[] {
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.flatMap((line) => {
    const start = line.indexOf(" {");
    if (start < 0) return [];
    const note = parseNote(line.slice(start + 1));
    return note === undefined ? [] : [{ ...note, byRoot: line.startsWith("/var/lib/provision/owed ") }];
  });
}

/** A host's text is not to be trusted: what is no note of ours is none. */
function parseNote(text: string): OwedNote | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { playbook, role, handler } = value as Record<string, unknown>;
    if (typeof playbook !== "string" || typeof role !== "string" || typeof handler !== "string")
      return undefined;
    return { playbook, role, handler };
  } catch {
    return undefined;
  }
}

export const markerKeyOf = (note: OwedNote): string => markerName(note);
