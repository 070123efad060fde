/** Endpoints that master and agent serve alike. */
import type { Handler, Route } from "../../http/http-server.ts";
import { emptyResponse, jsonResponse } from "../../http/response.ts";
import { mesosVersion } from "../protocol/master-info.ts";

export const versionModel = {
  build_date: "",
  build_time: 0,
  build_user: "provision",
  git_branch: "",
  git_sha: "",
  git_tag: mesosVersion,
  version: mesosVersion,
};

export interface CommonRoutes {
  readonly flags: Readonly<Record<string, string>>;
  readonly metrics: () => Readonly<Record<string, number>>;
}

export const commonRoutes = ({ flags, metrics }: CommonRoutes): Route[] => [
  get("/version", () => jsonResponse(200, versionModel)),
  get("/flags", () => jsonResponse(200, { flags })),
  get("/health", () => emptyResponse(200)),
  get("/metrics/snapshot", () => jsonResponse(200, { ...systemMetrics(), ...metrics() })),
];

export const get = (path: string, handle: Handler): Route => ({ method: "GET", path, handle });
export const post = (path: string, handle: Handler): Route => ({ method: "POST", path, handle });

function systemMetrics(): Record<string, number> {
  const { rss } = process.memoryUsage();
  return { "process/resident_set_bytes": rss, "process/uptime_secs": process.uptime() };
}

/** Every route at `/x` and below the daemon's own name: `/master/x`, `/slave(1)/x`. */
export const alsoUnder = (prefixes: readonly string[], routes: readonly Route[]): Route[] => [
  ...routes,
  ...prefixes.flatMap((prefix) => routes.map((route) => ({ ...route, path: `${prefix}${route.path}` }))),
];
