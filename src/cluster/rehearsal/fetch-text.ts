/** One HTTP request, with a Host header of the caller's choice: what `curl -H 'Host: www.example.com'` does. */
import { request } from "node:http";
import { rehearsalError } from "./rehearsal-error.ts";

export interface FetchRequest {
  readonly url: string;
  readonly method?: string;
  readonly host?: string;
  readonly json?: unknown;
  readonly timeoutMs?: number;
}
export interface FetchedText {
  readonly status: number;
  readonly body: string;
}

const defaultTimeoutMs = 5_000;
const maxBodyCharacters = 4 * 1024 * 1024;

/** Rejects when nothing answers in time. */
export function fetchText({
  url,
  method,
  host,
  json,
  timeoutMs = defaultTimeoutMs,
}: FetchRequest): Promise<FetchedText> {
  const { promise, resolve, reject } = Promise.withResolvers<FetchedText>();
  const body = json === undefined ? undefined : JSON.stringify(json);
  const outgoing = request(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      ...(host === undefined ? {} : { Host: host }),
      ...(body === undefined
        ? {}
        : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) }),
    },
  });
  outgoing.on("error", reject);
  outgoing.on("response", (answer) => {
    let text = "";
    answer.setEncoding("utf8");
    answer.on("data", (part: string) => {
      text = (text + part).slice(0, maxBodyCharacters);
    });
    answer.on("error", reject);
    answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body: text }));
  });
  outgoing.end(body);
  return promise;
}

/** Asks until `isRight` holds; rejects with the last answer when the time is over. */
export async function fetchUntil(
  wanted: FetchRequest & { readonly withinMs: number; readonly what: string },
  isRight: (answer: FetchedText) => boolean,
): Promise<FetchedText> {
  const deadline = performance.now() + wanted.withinMs;
  let last = "no answer";
  while (performance.now() < deadline) {
    try {
      const answer = await fetchText(wanted);
      if (isRight(answer)) return answer;
      last = `HTTP ${answer.status}: ${answer.body.slice(0, 200)}`;
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw rehearsalError(
    `see that ${wanted.what}`,
    `not within ${wanted.withinMs / 1000} s; the last answer was ${last}`,
  );
}

const pollMs = 100;
