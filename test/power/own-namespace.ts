/**
 * Everything happens in mount and process namespaces of its own: however this ends, the kernel removes mounts, loop
 * devices (they belong to their mounts) and processes with it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { statusOf } from "./programs.ts";

const marker = "GWE_POWER_SCRATCH";

const programs = {
  "qemu-storage-daemon": "qemu-system-common",
  fusermount3: "fuse3",
  "mkfs.ext4": "e2fsprogs",
  e2fsck: "e2fsprogs",
  mount: "mount",
  unshare: "util-linux",
} as const;

/** What is missing on this machine, in words. */
export function missing(): readonly string[] {
  const absent = Object.entries(programs)
    .filter(([program]) => statusOf("sh", "-c", `command -v ${program}`) !== 0)
    .map(([program, debian]) => `the program ${program} (Debian: ${debian})`);
  const devices = ["/dev/fuse", "/dev/loop-control"].filter((device) => !existsSync(device));
  return [...(process.getuid?.() === 0 ? [] : ["root: file systems are mounted"]), ...absent, ...devices];
}

/** The directory to work in; undefined while this program is not in namespaces of its own. */
export function scratchInside(): string | undefined {
  return process.env[marker];
}

/** Runs this program again inside. @returns its exit status */
export async function runInside(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), "gwe-power-"));
  // Each of these ends the next with itself.
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...[process.execPath, ...process.argv.slice(1)],
    ],
    { env: { ...process.env, [marker]: scratch }, stdio: "inherit" },
  );
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => child.kill("SIGKILL"));
  }
  const [status] = (await once(child, "exit")) as [number | null];
  // What was mounted on it is gone with the namespace.
  rmdirSync(scratch);
  return status ?? 130;
}
