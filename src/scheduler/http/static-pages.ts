import { createHash } from "node:crypto";
import type { Route } from "./http-server.ts";
import { emptyResponse, type HttpResponse } from "./response.ts";

/** A page that is part of the program: a string, so that a one-file bundle needs nothing beside it. */
export interface StaticPage {
  /** `/ui/app.js` */
  readonly path: string;
  /** `text/html; charset=utf-8` */
  readonly type: string;
  readonly content: string | Uint8Array;
}

/** Routes that serve embedded pages, with an ETag so that browsers ask but do not load again. */
export function staticPages(pages: readonly StaticPage[]): readonly Route[] {
  return pages.map(({ path, type, content }) => {
    const bytes = Buffer.from(content);
    const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
    const headers = { ETag: etag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff" };
    const page: HttpResponse = { status: 200, headers, body: { bytes, type } };
    return {
      method: "GET",
      path,
      handle: (request) => (request.header("if-none-match") === etag ? emptyResponse(304, headers) : page),
    };
  });
}
