import { spawnSync } from "node:child_process";
import { RigError } from "./errors.ts";

/** Runs a program of this machine. @returns its output @throws RigError when it fails */
export function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  if (status === 0) return stdout;
  throw new RigError(`${command} ${args.join(" ")}: ${error?.message ?? `status ${status}`}\n${stderr}`);
}

/** Runs a program that may fail. @returns its exit status; -1 where it did not end by itself */
export function statusOf(command: string, ...args: readonly string[]): number {
  return spawnSync(command, args, { stdio: "ignore" }).status ?? -1;
}
