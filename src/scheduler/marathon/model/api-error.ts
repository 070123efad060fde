/** What a client did wrong, in Marathon's own form: a status and a JSON body. */
import type { JsonObject } from "../../../base/json.ts";

export interface Violation {
  readonly path: string;
  readonly errors: readonly string[];
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly body: JsonObject;

  constructor(status: number, body: JsonObject) {
    super(typeof body.message === "string" ? body.message : `status ${status}`);
    this.status = status;
    this.body = body;
  }
}

export const message = (status: number, text: string): ApiError => new ApiError(status, { message: text });

const details = (violations: readonly Violation[]) =>
  violations.map(({ path, errors }) => ({ path, errors: [...errors] }));

export const invalidJson = (violations: readonly Violation[]): ApiError =>
  new ApiError(400, { message: "Invalid JSON", details: details(violations) });

export const unparsableJson = (parserMessage: string): ApiError =>
  new ApiError(400, { message: "Invalid JSON", details: parserMessage });

export const invalidObject = (violations: readonly Violation[]): ApiError =>
  new ApiError(422, { message: "Object is not valid", details: details(violations) });

export const unknownApp = (id: string, version?: string): ApiError =>
  message(404, `App '${id}' does not exist${version === undefined ? "" : ` in version ${version}`}`);

export const unknownGroup = (id: string, version?: string): ApiError =>
  message(404, `Group '${id}' does not exist${version === undefined ? "" : ` in version ${version}`}`);

export const unknownTask = (id: string): ApiError => message(404, `Task '${id}' does not exist`);

export const appExists = (id: string): ApiError => message(409, `An app with id [${id}] already exists.`);

export const locked = (deployments: readonly string[]): ApiError =>
  new ApiError(409, {
    message:
      "App is locked by one or more deployments. Override with the option '?force=true'. " +
      "View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
    deployments: deployments.map((id) => ({ id })),
  });

export const tooManyDeployments = (limit: number): ApiError =>
  message(403, `Too many deployments are running: the limit is ${limit}`);

export const storageTimeout = (): ApiError =>
  message(503, "The store did not answer in time; nothing was changed or the outcome is unknown");
