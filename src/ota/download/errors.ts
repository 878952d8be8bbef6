import { GweError } from "../../core/errors.ts";
import { isDiskTrouble, StepFailure } from "../errors.ts";

/** An answer that cannot be one about the content that Murano announced. */
export class ContradictionError extends GweError {
  readonly code = "OTA_CONTRADICTION";
}

/** A transfer that ended without an error, but too early, or brought something else: it is tried again. */
export class TransferError extends GweError {
  readonly code = "OTA_TRANSFER";
}

/** A disk that is full or broken does not mend by downloading again. */
export function diskTrouble(error: unknown): StepFailure | undefined {
  if (!isDiskTrouble(error)) return undefined;
  const code = (error as NodeJS.ErrnoException).code;
  return new StepFailure(`the package could not be written to disk (${code})`, { cause: error });
}
