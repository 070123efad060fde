/** An answer other than the wanted one, thrown by a handler and turned into a response by the server's `onError`. */
export interface HttpErrorFields {
  readonly status: number;
  readonly message: string;
  /** What a client may want to know besides: the parser's words, a list of bad fields. */
  readonly details?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly details: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(fields: HttpErrorFields) {
    super(fields.message, { cause: fields.cause });
    this.status = fields.status;
    this.details = fields.details;
    this.headers = fields.headers ?? {};
  }
}
