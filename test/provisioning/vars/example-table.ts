/** What an example is, and how rows become examples. */
export interface Example {
  readonly name: string;
  readonly expression: string;
  /** What `<{{ expression }}>` prints between the angles. */
  readonly prints: string;
  readonly says: string;
  /** As Ansible is asked it, where that is another. */
  readonly asked?: string;
  /** Why Ansible's own answer is another, or cannot be asked. */
  readonly differs?: string;
}
type Row = readonly [name: string, says: string, expression: string, prints: string, differs?: string];
export const table = (rows: readonly Row[]): readonly Example[] =>
  rows.map(([name, says, expression, prints, differs]) => ({
    name,
    says,
    expression,
    prints,
    ...(differs === undefined ? {} : { differs }),
  }));

export const noPlugin = "not in ansible-core";
export const newer = "newer than Debian's Ansible";
