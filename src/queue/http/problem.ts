import { GweError } from "../../core/errors.ts";

/** A request that is answered with an error; the message is the answer's body. */
export class RequestProblem extends GweError {
  readonly code = "REQUEST_PROBLEM";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}
