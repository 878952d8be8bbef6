import { GweError } from "../../core/errors.ts";

/** The package is not one that may be unpacked. The message says which member and why. */
export class PackageRefusedError extends GweError {
  readonly code = "PACKAGE_REFUSED";
}

/** The disk gives back something else than was written to it. */
export class ReadBackError extends GweError {
  readonly code = "OTA_READ_BACK";
}
