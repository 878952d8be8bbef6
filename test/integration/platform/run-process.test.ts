import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import { type RunProcessOptions, runProcess } from "../../../src/platform/run-process.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gwe-run-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function options(script: string, overrides: Partial<RunProcessOptions> = {}): RunProcessOptions {
  const command = join(directory, "program");
  writeFileSync(command, script);
  chmodSync(command, 0o755);
  return {
    command,
    cwd: directory,
    env: { PATH: process.env.PATH ?? "" },
    timeoutMs: 20_000,
    killAfterMs: 200,
    maxOutputBytes: 1_000,
    ...overrides,
  };
}

describe("a program", () => {
  it("ends with its exit status and its output, interleaved", async () => {
    const script = "#!/bin/sh\necho one\necho two >&2\nsleep 0.05\necho three\nexit 4\n";
    const outcome = await runProcess(options(script));
    expect(outcome).toMatchObject({ end: "exited", exitCode: 4, signal: undefined, outputBytesCut: 0 });
    expect(outcome.output.toString()).toContain("three\n");
    expect(outcome.output).toHaveLength(14);
  });

  it("ended by a signal says which", async () => {
    const outcome = await runProcess(options("#!/bin/sh\nkill -KILL $$\n"));
    expect(outcome).toMatchObject({ end: "signaled", signal: "SIGKILL", exitCode: undefined });
  });

  it("reads nothing from stdin", async () => {
    const outcome = await runProcess(options("#!/bin/sh\ncat; echo end\n"));
    expect(outcome.output.toString()).toBe("end\n");
  });

  it("that ignores SIGTERM is killed at its time limit, with its children", async () => {
    const script = "#!/bin/sh\ntrap '' TERM\nsleep 300 &\necho $!\nwhile :; do sleep 0.1; done\n";
    const outcome = await runProcess(options(script, { timeoutMs: 300 }));
    expect(outcome.end).toBe("timed-out");
    expect(processStartTicks(Number(outcome.output.toString()))).toBeUndefined();
  });

  it("that is aborted ends at once", async () => {
    const abort = new AbortController();
    const running = runProcess(options("#!/bin/sh\nexec sleep 300\n", { signal: abort.signal }));
    abort.abort();
    expect((await running).end).toBe("aborted");
  });

  it("of a caller that has given up already is not begun", async () => {
    const script = `#!/bin/sh\ntouch ${directory}/ran\n`;
    const outcome = await runProcess(options(script, { signal: AbortSignal.abort() }));
    expect(outcome.end).toBe("aborted");
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });

  it("does not keep its caller waiting for a child that holds stdout", async () => {
    const outcome = await runProcess(options("#!/bin/sh\nsleep 300 &\necho $!\n"));
    const child = Number(outcome.output.toString());
    expect(outcome).toMatchObject({ end: "exited", exitCode: 0 });
    expect(processStartTicks(child)).toBeDefined();
    process.kill(child, "SIGKILL");
  });

  it.each([0, 1, 999, 1_000, 1_001, 2_500, 200_000])(
    "that prints %i bytes keeps the last 1000",
    async (bytes) => {
      const text = Array.from({ length: bytes }, (_, index) => String.fromCharCode(97 + (index % 26))).join(
        "",
      );
      writeFileSync(join(directory, "text"), text);
      const outcome = await runProcess(options("#!/bin/sh\ncat text\n"));
      expect(outcome.output.toString()).toBe(text.slice(-1_000));
      expect(outcome.outputBytesCut).toBe(Math.max(0, bytes - 1_000));
    },
  );

  it("that is run in a directory that does not exist is not started", async () => {
    const outcome = await runProcess(options("#!/bin/sh\n", { cwd: "/nonexistent" }));
    expect(outcome).toMatchObject({ end: "not-started", failure: { code: "ENOENT" } });
  });
});

it("a program that cannot be executed is not started", async () => {
  const outcome = await runProcess(options("", { command: "/nonexistent/program" }));
  expect(outcome).toMatchObject({ end: "not-started", failure: { code: "ENOENT" } });
});
