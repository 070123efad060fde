import type { ServerResponse } from "node:http";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ResponseSink } from "./response.ts";

/** A streamed response whose reader may not fall more than `maxPendingBytes` behind: then it is cut off. */
export function responseSink(response: ServerResponse, maxPendingBytes: number): ResponseSink {
  const over = new AbortController();
  response.once("close", () => over.abort());
  const isOpen = (): boolean => !over.signal.aborted && !response.writableEnded && !response.destroyed;
  return {
    closed: over.signal,
    write(chunk) {
      if (!isOpen()) return false;
      response.write(chunk);
      if (response.writableLength <= maxPendingBytes) return true;
      response.destroy();
      return false;
    },
    async pipe(source: Readable) {
      await pipeline(source, response);
    },
    end() {
      if (isOpen()) response.end();
    },
  };
}
