/** Groups: folders of apps with dependencies of their own. Kept flat; the tree is made when somebody reads it. */
import type { JsonObject, JsonValue } from "../../../base/json.ts";
import type { AppId, Version } from "./app.ts";
import type { AppUpdate } from "./app-update.ts";
import { compact, JsonReader } from "./json-reader.ts";
import { readAppUpdate } from "./parse-app.ts";

export interface GroupUpdate {
  readonly id?: string;
  readonly apps?: readonly AppUpdate[];
  readonly groups?: readonly GroupUpdate[];
  readonly dependencies?: readonly AppId[];
  readonly scaleBy?: number;
  readonly version?: Version;
  readonly enforceRole?: boolean;
}

/** How deep groups may be nested in one request. */
const maxDepth = 32;

export function parseGroupUpdate(json: JsonValue): GroupUpdate {
  const reader = new JsonReader();
  const update = readGroup(reader, json, "", 0);
  reader.throwIfAny();
  return update ?? {};
}

function readGroup(
  reader: JsonReader,
  json: JsonValue,
  path: string,
  depth: number,
): GroupUpdate | undefined {
  const object: JsonObject | undefined = reader.object(json, path);
  if (object === undefined) return undefined;
  if (depth > maxDepth) return reader.fail(path, `groups are nested more than ${maxDepth} deep`);
  return compact<GroupUpdate>({
    id: reader.optional(object, "id", path, reader.string),
    apps: reader.optional(
      object,
      "apps",
      path,
      reader.array((value, at) => {
        const app = readAppUpdate(reader, value, at);
        return app !== undefined && app.id === undefined
          ? reader.fail(`${at}/id`, "error.path.missing")
          : app;
      }),
    ),
    groups: reader.optional(
      object,
      "groups",
      path,
      reader.array((value, at) => {
        const group = readGroup(reader, value, at, depth + 1);
        return group !== undefined && group.id === undefined
          ? reader.fail(`${at}/id`, "error.path.missing")
          : group;
      }),
    ),
    dependencies: reader.optional(object, "dependencies", path, reader.array(reader.string)),
    scaleBy: reader.optional(object, "scaleBy", path, reader.number),
    version: reader.optional(object, "version", path, reader.string),
    enforceRole: reader.optional(object, "enforceRole", path, reader.boolean),
  });
}
