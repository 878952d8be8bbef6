import { GweError } from "./errors.ts";

/** What a package's file name says: the app's identity and its version. */
export interface PackageName {
  /** e.g. `meter.v1.2.3.tar.gz`; also the content id in Murano. */
  readonly file: string;
  readonly app: string;
  readonly version: string;
}

/** A file name that is not `<APP_NAME>.v<VERSION>.tar.gz`. */
export class PackageNameError extends GweError {
  readonly code = "PACKAGE_NAME";
}

const suffix = ".tar.gz";
// The name becomes a directory, a process name and a log file: what a shell or a path would misread is refused.
const appPattern = /^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,99}$/;
const versionPattern = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$/;

/**
 * Splits `<APP_NAME>.v<VERSION>.tar.gz` at the last `.v` (spec: custom-gateway-applications.md, "The tarball").
 *
 * @throws PackageNameError saying which part is wrong
 */
export function parsePackageName(file: string): PackageName {
  const fail = (reason: string): never => {
    throw new PackageNameError(`bad package name ${JSON.stringify(file.slice(0, 200))}: ${reason}`, {
      context: { file: file.slice(0, 200) },
    });
  };
  if (!file.endsWith(suffix)) return fail("expected <APP_NAME>.v<VERSION>.tar.gz");
  const stem = file.slice(0, -suffix.length);
  const split = stem.lastIndexOf(".v");
  if (split < 0) return fail("no '.v' before the version");
  const app = stem.slice(0, split);
  const version = stem.slice(split + 2);
  if (!appPattern.test(app)) {
    return fail(
      "the app name must be 1 to 100 letters, digits, '_', '.', '+', '@' or '-', not starting with a dot",
    );
  }
  if (!versionPattern.test(version)) {
    return fail(
      "the version must be 1 to 100 letters, digits, '_', '.', '+' or '-', not starting with a dot",
    );
  }
  return { file, app, version };
}
