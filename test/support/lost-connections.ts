/** Real sessions whose connection ends, once or several times, at a chosen message and in a chosen way. */
import { ProvisionError } from "../../src/base/errors.ts";
import type { FrameResult, OpenSession } from "../../src/provisioning/transport/session.ts";
import { withShells } from "./small-world.ts";

export interface Loss {
  /** How many messages of the run go well before, greetings not counted. */
  readonly after: number;
  /** The message never arrives; is carried out in part; is carried out, and its answer never arrives. */
  readonly how: "unsent" | "in part" | "unanswered";
}

export const lostConnection = (): ProvisionError =>
  new ProvisionError({ code: "connection-lost", action: "go on", state: "the connection ended" });

export function losing(open: OpenSession, losses: readonly Loss[]): OpenSession {
  let messages = 0;
  const left = [...losses].sort((a, b) => a.after - b.after);
  return async (plan, signal) => {
    let isDead = false;
    return withShells(await open(plan, signal), (shell) => ({
      user: shell.user,
      exchange: async (frames): Promise<readonly FrameResult[]> => {
        if (isDead) throw lostConnection();
        const isGreeting = frames[0]?.script.includes("machine_id=") === true;
        const loss =
          !isGreeting && left[0] !== undefined && messages++ >= left[0].after ? left.shift() : undefined;
        if (loss === undefined) return shell.exchange(frames);
        isDead = true;
        const carried = { unsent: 0, "in part": Math.floor(frames.length / 2), unanswered: frames.length }[
          loss.how
        ];
        if (carried > 0) await shell.exchange(frames.slice(0, carried));
        throw lostConnection();
      },
    }));
  };
}

/** Nothing that the run says came of the loss: then nothing in its end may show that there was one. */
export const isUnnoticed = (ended: {
  readonly stories: Readonly<Record<string, readonly string[]>>;
}): boolean =>
  !Object.values(ended.stories).some((story) =>
    story.some((line) => /nobody knows|the connection ended/.test(line)),
  );
