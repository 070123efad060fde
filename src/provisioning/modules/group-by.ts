import { defineArgs, list, text } from "./arguments.ts";
import { defineControllerModule } from "./define-module.ts";

const groupName = (key: string): string => key.replaceAll(" ", "-");

export default defineControllerModule({
  kind: "controller",
  name: "group_by",
  summary: "Puts the host into a group that is named by a value.",
  args: defineArgs({
    key: text("Name of the group.", { required: true }),
    parents: list("Groups that this group is put into.", { default: ["all"] }),
  }),
  example:
    "- name: a group for each release\n  group_by: {key: 'release_{{ ansible_facts.distribution_release }}'}\n",
  run(args) {
    const key = groupName(args.key);
    const parents = args.parents.map(groupName);
    return {
      result: { add_group: key, parent_groups: [...parents] },
      effects: [{ effect: "group-by", key, parents }],
    };
  },
});
