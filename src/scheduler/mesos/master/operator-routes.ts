/** The master's endpoints for people and tools, each at `/x` and `/master/x`. */
import { HttpError } from "../../http/http-error.ts";
import type { Route } from "../../http/http-server.ts";
import type { HttpRequest } from "../../http/request.ts";
import { jsonResponse, redirectResponse } from "../../http/response.ts";
import { alsoUnder, commonRoutes, get, post } from "../daemon/common-routes.ts";
import type { MasterCore } from "./decide.ts";
import { leaderUrl, onLeader } from "./leader-guard.ts";
import type { MasterDaemon } from "./master-daemon.ts";
import { masterMetrics } from "./metrics.ts";
import type { Model } from "./models.ts";
import { operatorApiRoute } from "./operator-api.ts";
import { toResponse } from "./scheduler-api.ts";
import {
  frameworksModel,
  rolesModel,
  type StateSurroundings,
  slavesModel,
  stateModel,
  summaryModel,
  tasksModel,
} from "./state-endpoints.ts";

export function operatorRoutes(daemon: MasterDaemon, around: StateSurroundings): Route[] {
  const model = (path: string, make: (core: MasterCore, request: HttpRequest) => Model): Route[] =>
    [path, `${path}.json`].map((each) =>
      get(
        each,
        onLeader(daemon, (request, core) => jsonResponse(200, make(core, request))),
      ),
    );
  return alsoUnder(
    ["/master"],
    [
      ...model("/state", (core) => stateModel(core, around)),
      ...model("/slaves", slavesModel),
      ...model("/frameworks", frameworksModel),
      ...model("/tasks", tasksModel),
      ...model("/roles", rolesModel),
      ...model("/state-summary", (core) => summaryModel(core, around.cluster)),
      get("/redirect", () => {
        const url = leaderUrl(daemon);
        if (url === undefined) throw new HttpError({ status: 503, message: "No leader elected" });
        return redirectResponse(307, url);
      }),
      post(
        "/teardown",
        onLeader(daemon, async (request) => {
          const frameworkId = new URLSearchParams(await request.text()).get("frameworkId");
          if (frameworkId === null)
            throw new HttpError({ status: 400, message: "Missing 'frameworkId' query parameter" });
          return toResponse(daemon.ask({ is: "operator", request: { want: "teardown", frameworkId } }));
        }),
      ),
      ...commonRoutes({ flags: around.flags, metrics: () => masterMetrics(daemon) }),
      operatorApiRoute(daemon, around),
    ],
  );
}
