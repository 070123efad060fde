/** multipart/form-data: a map of names to text or {content, filename, mime_type}. */
import { isJsonObject, type JsonObject, type JsonValue } from "../../base/json.ts";
import { readText } from "./arguments.ts";
import { digestOf } from "./digest.ts";

export interface MultipartBody {
  readonly bytes: Uint8Array;
  readonly type: string;
}

export function multipart(fields: JsonObject): MultipartBody {
  // Made from the contents, so that the same task sends the same bytes, and no content can hold it.
  const boundary = `provision-${digestOf(JSON.stringify(fields), "sha256")}`;
  const parts = Object.entries(fields).map(([name, value]) => part(name, value));
  const body = parts.map((text) => `--${boundary}\r\n${text}\r\n`).join("");
  return {
    bytes: new TextEncoder().encode(`${body}--${boundary}--\r\n`),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

const quoted = (text: string): string => `"${text.replaceAll('"', "%22").replaceAll(/\r?\n/g, "%0A")}"`;

function part(name: string, value: JsonValue): string {
  if (!isJsonObject(value))
    return `Content-Disposition: form-data; name=${quoted(name)}\r\n\r\n${readText(value)}`;
  const fileName = value.filename === undefined ? "" : `; filename=${quoted(readText(value.filename))}`;
  const type = value.mime_type === undefined ? "text/plain" : readText(value.mime_type);
  return `Content-Disposition: form-data; name=${quoted(name)}${fileName}\r\nContent-Type: ${type}\r\n\r\n${readText(value.content ?? "")}`;
}
