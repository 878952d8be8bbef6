import { spawnSync } from "node:child_process";
import { GweError } from "../../src/core/errors.ts";

class MinisignError extends GweError {
  readonly code = "MINISIGN";
}

/** Runs Debian's minisign to its end. */
export function minisign(directory: string, ...args: readonly string[]): string {
  const run = spawnSync("minisign", args, { cwd: directory, encoding: "utf8", input: "" });
  if (run.error !== undefined) {
    throw new MinisignError("minisign could not be run: apt-get install minisign", { cause: run.error });
  }
  if (run.status !== 0) throw new MinisignError(`minisign ${args.join(" ")}: ${run.stderr}${run.stdout}`);
  return run.stdout;
}

/** A key pair without a password: `<name>.pub` and `<name>.key` in the directory. */
export function makeKeyPair(directory: string, name: string): void {
  minisign(directory, "-G", "-W", "-p", `${name}.pub`, "-s", `${name}.key`);
}

/** Signs as a vendor would; the signature is `<file>.minisig` unless the arguments say otherwise. */
export function signFile(directory: string, key: string, file: string, ...args: readonly string[]): void {
  minisign(directory, "-S", "-s", `${key}.key`, "-m", file, ...args);
}
