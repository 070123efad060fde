/** What only the leader answers: the others redirect to it, a leader that is still recovering asks for patience. */
import { HttpError } from "../../http/http-error.ts";
import type { Handler } from "../../http/http-server.ts";
import { redirectResponse } from "../../http/response.ts";
import { masterHostPort } from "../protocol/master-info.ts";
import type { MasterCore } from "./decide.ts";
import type { MasterDaemon } from "./master-daemon.ts";

export type LeaderHandler = (request: Parameters<Handler>[0], core: MasterCore) => ReturnType<Handler>;

export const leaderUrl = (daemon: MasterDaemon): string | undefined => {
  if (daemon.leader === undefined) return undefined;
  const { host, port } = masterHostPort(daemon.leader);
  return `//${daemon.leader.hostname ?? host}:${port}`;
};

export const onLeader =
  (daemon: MasterDaemon, handle: LeaderHandler): Handler =>
  async (request) => {
    const { core, leader, card } = daemon;
    if (core !== undefined) return await handle(request, core);
    if (daemon.isRecovering)
      throw new HttpError({ status: 503, message: "Master has not finished recovery" });
    const url = leader === undefined || leader.id === card.id ? undefined : leaderUrl(daemon);
    if (url === undefined) throw new HttpError({ status: 503, message: "No leader elected" });
    return redirectResponse(307, `${url}${request.path}${request.search}`);
  };
