import { GweError } from "../../core/errors.ts";

/** The server knows this owner, or this CIK, not. */
export class OwnerUnauthorizedError extends GweError {
  readonly code = "UNAUTHORIZED";
}

/** The server refuses what was asked: it is there already, or its state does not allow it. */
export class OwnerConflictError extends GweError {
  readonly code = "CONFLICT";
}

/** The server refuses what was asked; repeating it cannot help. */
export class OwnerRefusedError extends GweError {
  readonly code = "OWNER_REFUSED";
  readonly status: number;

  constructor(message: string, status: number) {
    super(message, { context: { status } });
    this.status = status;
  }
}
