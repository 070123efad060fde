/** One look at an instance from outside. Never throws: a failure is a result. */
import { request as httpRequest, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";

export interface ProbeTarget {
  readonly protocol: "HTTP" | "HTTPS" | "TCP";
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
  readonly keepsBody?: boolean;
}

export interface ProbeOutcome {
  readonly status?: number;
  readonly body?: string;
  readonly failure?: string;
}

export type Probe = (target: ProbeTarget) => Promise<ProbeOutcome>;

const maxKeptBodyChars = 4_096;

export const probe: Probe = (target) => (target.protocol === "TCP" ? probeTcp(target) : probeHttp(target));

function probeTcp({ host, port, timeoutMs }: ProbeTarget): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (outcome: ProbeOutcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end({ failure: `no connection within ${timeoutMs} ms` }), timeoutMs);
    socket.once("connect", () => end({}));
    socket.once("error", (error) => end({ failure: error.message }));
  });
}

function probeHttp({ protocol, host, port, path, timeoutMs, keepsBody }: ProbeTarget): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const options: RequestOptions & { rejectUnauthorized: boolean } = {
      host,
      port,
      path: path.startsWith("/") ? path : `/${path}`,
      agent: false,
      headers: { "User-Agent": "marathon", Accept: "*/*" },
      // Instances show certificates of their own making; the check asks whether they serve, not who they are.
      rejectUnauthorized: false,
    };
    const send = protocol === "HTTPS" ? httpsRequest : httpRequest;
    const request = send(options);
    const end = (outcome: ProbeOutcome): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(() => end({ failure: `no answer within ${timeoutMs} ms` }), timeoutMs);
    request.once("error", (error) => end({ failure: error.message }));
    request.once("response", (response) => {
      const status = response.statusCode ?? 0;
      if (keepsBody !== true) {
        end({ status });
        return;
      }
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body = (body + chunk).slice(0, maxKeptBodyChars);
      });
      response.once("end", () => end({ status, body }));
      response.once("error", (error) => end({ failure: error.message }));
    });
    request.end();
  });
}
