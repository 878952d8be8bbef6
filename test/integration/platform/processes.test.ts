import { spawn } from "node:child_process";
import { once } from "node:events";
import { statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { acquireInstanceLock } from "../../../src/platform/instance-lock.ts";
import { isSameProcessAlive, processStartTicks } from "../../../src/platform/process-table.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const lockModule = JSON.stringify(join(import.meta.dirname, "../../../src/platform/instance-lock.ts"));

/** A process that holds the lock until it is killed. */
async function holder(file: string) {
  const program = `
    import { acquireInstanceLock } from ${lockModule};
    acquireInstanceLock(${JSON.stringify(file)});
    console.log("held");
    setInterval(() => undefined, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  await once(child.stdout, "data");
  return child;
}

describe("the lock of an engine", () => {
  it("is one process' alone, and free again when that is killed", async () => {
    const file = join(temporaryDirectory(), "gwe.lock");
    const child = await holder(file);
    expect(() => acquireInstanceLock(file)).toThrow("another process holds the lock");
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = acquireInstanceLock(file);
    lock.release();
  });

  it("cannot be held by other users, and does not mind what somebody has written into it", () => {
    const file = join(temporaryDirectory(), "gwe.lock");
    writeFileSync(file, "garbage".repeat(1_000), { mode: 0o644 });
    const lock = acquireInstanceLock(file);
    expect(statSync(file).mode & 0o077).toBe(0);
    expect(() => acquireInstanceLock(file)).toThrow("another process holds the lock");
    lock.release();
  });
});

describe("the process table", () => {
  it("tells a process from another of the same number, and counts the dead as none", async () => {
    // The kernel names a process after the file that it was started by.
    const program = join(temporaryDirectory(), "odd ) name (");
    symlinkSync("/bin/sleep", program);
    const child = spawn(program, ["60"]);
    const pid = child.pid ?? 0;
    const startTicks = processStartTicks(pid) ?? Number.NaN;
    expect(startTicks).toBeGreaterThan(0);
    expect(isSameProcessAlive({ pid, startTicks })).toBe(true);
    expect(isSameProcessAlive({ pid, startTicks: startTicks - 1 })).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(processStartTicks(pid)).toBeUndefined();
  });
});
