/** What a peer says by itself, until it has said what is waited for. */
import type { Duplex } from "node:stream";
import { boundedRegexps } from "../../base/bounded-regexp.ts";
import { pythonRegExp } from "../../base/python-regexp.ts";
import type { Listening } from "../host/question.ts";
import { limits } from "./limits.ts";

/** Ends when the pattern matches or cannot, when the peer has ended, or when the time or the room is over. */
export function listenTo(socket: Duplex, { pattern, forMs }: Listening): Promise<Uint8Array> {
  const compiled = pythonRegExp(pattern, "m");
  if ("refused" in compiled) return Promise.resolve(new Uint8Array());
  const heard: Buffer[] = [];
  let bytes = 0;
  const isOver = (): boolean => {
    const text = Buffer.concat(heard).toString();
    const found = boundedRegexps([pattern], text.length, () => compiled.regexp.test(text));
    return "refused" in found || found.made || bytes > limits.listenBytes;
  };
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve(Buffer.concat(heard));
    };
    const timer = setTimeout(end, forMs);
    socket.on("data", (chunk: Buffer) => {
      heard.push(chunk);
      bytes += chunk.length;
      if (isOver()) end();
    });
    socket.on("close", end);
    socket.on("end", end);
  });
}
