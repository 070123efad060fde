import { ProvisionError, type Span } from "../../base/errors.ts";

export interface Complaint {
  readonly why?: string | undefined;
  readonly fix?: string | undefined;
}

export function inventoryError(
  file: string,
  span: Span | undefined,
  state: string,
  { why, fix }: Complaint = {},
): ProvisionError {
  return new ProvisionError({
    code: "bad-inventory",
    action: `read inventory "${file}"`,
    state,
    span,
    why,
    fix,
  });
}
