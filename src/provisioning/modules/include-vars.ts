import type { z } from "zod";
import { choice, defineArgs, flag, list, path, text, whole } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";
import type { VarsFiles } from "./module.ts";

const args = defineArgs(
  {
    file: path("A file of variables, found as vars files are.", { aliases: ["free-form", "_raw_params"] }),
    dir: path("A folder whose files are read in alphabetical order."),
    name: text("Put the variables below this one."),
    depth: whole("How deep to look into the folder; 0 is without limit.", { default: 0 }),
    files_matching: text("Regular expression that the names of the folder's files must match."),
    ignore_files: list("Names that are left out.", { default: [] }),
    extensions: list("Extensions of files that are read.", { default: ["json", "yaml", "yml"] }),
    ignore_unknown_extensions: flag("Pass over files with other extensions.", { default: false }),
    hash_behaviour: choice(["replace", "merge"])("What happens to maps that are there already.", {
      default: "replace",
    }),
  },
  { exclusive: [["file", "dir"]], oneOf: [["file", "dir"]] },
);

const filesOf = (given: z.infer<typeof args>): VarsFiles =>
  given.dir === undefined
    ? { file: given.file ?? "" }
    : {
        dir: given.dir,
        depth: given.depth,
        ...(given.files_matching === undefined ? {} : { filesMatching: given.files_matching }),
        ignoreFiles: given.ignore_files,
        extensions: given.extensions,
        ignoreUnknownExtensions: given.ignore_unknown_extensions,
      };

export default defineControllerModule({
  kind: "controller",
  name: "include_vars",
  summary: "Reads variables from files of the controller.",
  args,
  freeForm: "file",
  example:
    "- name: what differs between the releases\n  include_vars: '{{ ansible_facts.distribution_release }}.yml'\n",
  run: (given) => ({
    result: {},
    effects: [
      {
        effect: "load-vars",
        from: filesOf(given),
        ...(given.name === undefined ? {} : { name: given.name }),
        merge: given.hash_behaviour === "merge",
      },
    ],
  }),
});
