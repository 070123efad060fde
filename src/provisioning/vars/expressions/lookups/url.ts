/** `lookup("url", …)`: what an address answers, read by the controller. */
import { execFileSync } from "node:child_process";
import { expressionLimits } from "../limits.ts";
import type { Lookup, LookupCall } from "../lookups.ts";
import { flagOf, textOf, wholeOf } from "../runtime.ts";
import { splitLines } from "../split-text.ts";
import { str } from "../text.ts";
import { Fault, isMapping, mappingEntries } from "../value.ts";

/** Expressions are evaluated at one go, so another Node waits for the answer. The request comes on stdin. */
const fetching = `
let text = "";
process.stdin.on("data", (part) => { text += part; }).on("end", async () => {
  const { url, headers, limit, timeoutMs } = JSON.parse(text);
  try {
    const answer = await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
    if (!answer.ok) throw new Error("it answered " + answer.status + " " + answer.statusText);
    const body = Buffer.from(await answer.arrayBuffer());
    if (body.length > limit) throw new Error("its answer has more than " + limit + " bytes");
    process.stdout.write(body);
  } catch (error) {
    process.stderr.write(error.cause?.message || error.cause?.code || error.message);
    process.exitCode = 1;
  }
});`;

/** Beyond what the request itself may take. */
const startMs = 5000;

export const url: Lookup = (call) =>
  call.terms.flatMap((term) => {
    const text = read(str(term), call);
    return flagOf(call.options.get("split_lines"), true) ? splitLines(text) : [text];
  });

function read(address: string, call: LookupCall): string {
  if (call.renderer.context.allowCommands === false) throw new Fault(`"${address}" may not be read here`);
  const protocol = URL.canParse(address) ? new URL(address).protocol : "";
  if (protocol !== "http:" && protocol !== "https:")
    throw new Fault(`the lookup url reads http and https, not "${address}"`);
  const timeoutMs = wholeOf(call.options.get("timeout"), 10) * 1000;
  const request = { url: address, headers: headersOf(call), limit: expressionLimits.lookupBytes, timeoutMs };
  const checks = flagOf(call.options.get("validate_certs"), true);
  try {
    return execFileSync(process.execPath, ["-e", fetching], {
      input: JSON.stringify(request),
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "", ...(checks ? {} : { NODE_TLS_REJECT_UNAUTHORIZED: "0" }) },
      maxBuffer: expressionLimits.lookupBytes,
      timeout: timeoutMs + startMs,
      stdio: ["pipe", "pipe", "pipe"],
    });
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string };
    const said = stderr?.trim().split("\n").at(-1) ?? "";
    throw new Fault(`"${address}" cannot be read${said === "" ? "" : `: ${said}`}`);
  }
}

function headersOf(call: LookupCall): Record<string, string> {
  const given = call.options.get("headers");
  const headers = Object.fromEntries(
    given !== undefined && isMapping(given)
      ? mappingEntries(given).map(([name, value]) => [str(name), str(value)] as const)
      : [],
  );
  const [user, password] = ["username", "password"].map((name) => call.options.get(name));
  if (user === undefined || user === null) return headers;
  const pair = `${str(user)}:${textOf(password, "")}`;
  return { ...headers, authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}
