import { GweError } from "../core/errors.ts";

/** A package cannot be built from what is there. The message is for the app's developer. */
export class BuildError extends GweError {
  readonly code = "BUILD";
}

/** The package could not be checked: this machine is at fault, not the package. */
export class CheckError extends GweError {
  readonly code = "CHECK";
}
