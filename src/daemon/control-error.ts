import { GweError } from "../core/errors.ts";

/** A request that cannot be served; `status` is the HTTP status of the answer. */
export class ControlRequestError extends GweError {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}
