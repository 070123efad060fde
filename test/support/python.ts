import { spawnSync } from "node:child_process";

/** The distribution's Python, which sees its yaml and ansible packages. */
const python = "/usr/bin/python3";

/** Runs `body`, where `data` is the parsed input, and gives what it assigns to `result`. */
export function askPython(body: string, data: unknown): unknown {
  const script = `import json, sys\ndata = json.load(sys.stdin)\n${body}\njson.dump(result, sys.stdout)`;
  const { status, stdout, stderr } = spawnSync(python, ["-c", script], {
    input: JSON.stringify(data),
    encoding: "utf8",
    maxBuffer: 100_000_000,
  });
  if (status !== 0) throw new Error(`python ended with ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
