import { HttpError } from "./http-error.ts";

/** The query of a request. Names may repeat; values are decoded as forms are (`+` is a space). */
export class Query {
  readonly #params: URLSearchParams;

  constructor(search: string) {
    this.#params = new URLSearchParams(search);
  }

  /** The first value. */
  get(name: string): string | undefined {
    return this.#params.get(name) ?? undefined;
  }

  /** All values in order; `name[]=x` counts as `name=x`, as clients of PHP's and Rails' habit send it. */
  all(name: string): readonly string[] {
    return [...this.#params.getAll(name), ...this.#params.getAll(`${name}[]`)];
  }

  has(name: string): boolean {
    return this.#params.has(name);
  }

  names(): readonly string[] {
    return [...new Set(this.#params.keys())];
  }

  /** `true` and `false` in any case (Python clients send `True`); `?name` alone is true. */
  flag(name: string, absent: boolean): boolean {
    const value = this.get(name)?.toLowerCase();
    if (value === undefined) return absent;
    if (value === "true" || value === "" || value === "1") return true;
    if (value === "false" || value === "0") return false;
    throw new HttpError({ status: 400, message: `Query parameter "${name}" must be true or false` });
  }

  integer(name: string, absent: number): number {
    const value = this.get(name);
    if (value === undefined || value === "") return absent;
    if (!/^-?\d{1,15}$/.test(value)) {
      throw new HttpError({ status: 400, message: `Query parameter "${name}" must be an integer` });
    }
    return Number(value);
  }
}
