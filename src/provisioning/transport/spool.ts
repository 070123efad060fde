/** Bodies of answers: in memory while they are short, else in a file of the controller, hashed on the way. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpRequest, SpooledBody } from "../host/question.ts";

interface Body {
  readonly body: Uint8Array;
  readonly file?: SpooledBody;
}
type Wanted = Pick<HttpRequest, "maxBodyBytes" | "spool">;

export async function readBody(chunks: AsyncIterable<Buffer>, wanted: Wanted): Promise<Body> {
  const source = chunks[Symbol.asyncIterator]();
  const head: Buffer[] = [];
  const limit = wanted.spool?.aboveBytes ?? wanted.maxBodyBytes;
  for (let bytes = 0; bytes <= limit; ) {
    const { done, value } = await source.next();
    if (done === true) return { body: Buffer.concat(head) };
    bytes += value.length;
    head.push(value);
  }
  if (wanted.spool === undefined) throw tooLong(wanted);
  return { body: new Uint8Array(), file: await spooled(head, source, wanted) };
}

const tooLong = ({ maxBodyBytes }: Wanted) => new Error(`the answer is longer than ${maxBodyBytes} bytes`);

let folder: string | undefined;
let count = 0;

/** Its files are dropped when they were sent, or their session ends; the folder goes with the process. */
function newFile(): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), "provision-"));
    process.once("exit", () => rmSync(made, { recursive: true, force: true }));
    folder = made;
  }
  return join(folder, String(count++));
}

export const dropSpooled = (file: string): void => rmSync(file, { force: true });

async function spooled(head: Buffer[], rest: AsyncIterator<Buffer>, wanted: Wanted): Promise<SpooledBody> {
  const path = newFile();
  const hashes = (wanted.spool?.digests ?? []).map((name) => ({ name, hash: createHash(name) }));
  const file = await open(path, "wx", 0o600);
  let sizeBytes = 0;
  const keep = async (chunk: Buffer): Promise<void> => {
    sizeBytes += chunk.length;
    if (sizeBytes > wanted.maxBodyBytes) throw tooLong(wanted);
    for (const { hash } of hashes) hash.update(chunk);
    await file.writeFile(chunk);
  };
  try {
    for (const chunk of head) await keep(chunk);
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) await keep(next.value);
  } catch (error) {
    dropSpooled(path);
    throw error;
  } finally {
    await file.close();
  }
  const digests = Object.fromEntries(hashes.map(({ name, hash }) => [name, hash.digest("hex")]));
  return { file: path, sizeBytes, digests };
}
