import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ProvisionError } from "../base/errors.ts";
import type { CliIo } from "./io.ts";

/** What `-i` is when it is not given: $PROVISION_INVENTORY, else inventory.ini, else inventory/. */
export function defaultInventory(io: CliIo): string {
  const named = io.env["PROVISION_INVENTORY"];
  if (named !== undefined && named !== "") return named;
  const found = ["inventory.ini", "inventory"].find((name) => existsSync(resolve(io.cwd, name)));
  if (found !== undefined) return found;
  throw new ProvisionError({
    code: "bad-usage",
    action: "find the inventory",
    state: "none is given, and here is no inventory.ini and no folder inventory/",
    why: "the hosts come from an inventory",
    fix: "-i FILE, or -i HOST, with a comma at its end; or set PROVISION_INVENTORY",
  });
}
