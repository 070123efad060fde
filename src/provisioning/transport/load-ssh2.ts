/**
 * ssh2's client alone. Its front door also loads a server, a key generator and HTTP agents, and these Node's own HTTP
 * client: 25 ms in which no host is dialled.
 */
import { createRequire } from "node:module";

export type Ssh2 = Pick<typeof import("ssh2"), "Client" | "OpenSSHAgent"> & {
  readonly parseKey: typeof import("ssh2")["utils"]["parseKey"];
};

const require = createRequire(import.meta.url);

let parts: Ssh2 | undefined;

export function loadSsh2(): Ssh2 {
  parts ??= {
    Client: require("ssh2/lib/client.js"),
    OpenSSHAgent: require("ssh2/lib/agent.js").OpenSSHAgent,
    parseKey: require("ssh2/lib/protocol/keyParser.js").parseKey,
  };
  return parts;
}
