/** Plain data: what YAML, JSON, facts and results hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** As Python's json.dumps writes it, byte for byte: so that a file which Ansible wrote is right already. */
export function pythonJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => pythonJson(item)).join(", ")}]`;
  if (isJsonObject(value)) {
    const entries = Object.entries(value).map(([name, item]) => `${pythonJson(name)}: ${pythonJson(item)}`);
    return `{${entries.join(", ")}}`;
  }
  return JSON.stringify(value).replace(
    /[\x7f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
