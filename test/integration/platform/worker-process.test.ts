import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import { type RunWorkerOptions, runWorker, WorkerError } from "../../../src/platform/worker-process.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gwe-worker-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function options(source: string, overrides: Partial<RunWorkerOptions> = {}): RunWorkerOptions {
  const workerFile = join(directory, "worker.mjs");
  writeFileSync(workerFile, source);
  return {
    nodeFile: process.execPath,
    workerFile,
    heapMib: 64,
    request: { ask: 1 },
    timeoutMs: 20_000,
    ...overrides,
  };
}

describe("a worker", () => {
  it("answers its request, seeing nothing of the caller's environment", async () => {
    const source = `process.stdin.once("data", (line) => {
      console.log(JSON.stringify({ got: JSON.parse(line), env: Object.keys(process.env) }));
      process.exit(0);
    });`;
    expect(await runWorker(options(source))).toEqual({ got: { ask: 1 }, env: [] });
  });

  // CAP_DAC_OVERRIDE is the second of them. As another user than root there is none anyway.
  it("has no capability but one, and can regain none", async () => {
    const source = `import { readFileSync } from "node:fs";
    process.stdin.once("data", () => {
      console.log(JSON.stringify(Object.fromEntries(readFileSync("/proc/self/status", "utf8").split("\\n")
        .map((line) => line.split(":\\t")).filter(([key]) => /^(Cap(Prm|Eff|Bnd)|NoNewPrivs)$/.test(key)))));
      process.exit(0);
    });`;
    const only = process.getuid?.() === 0 ? "0000000000000002" : "0000000000000000";
    const answer = await runWorker(options(source));
    expect(answer).toMatchObject({ CapPrm: only, CapEff: only, NoNewPrivs: "1" });
    if (process.getuid?.() === 0) expect(answer).toMatchObject({ CapBnd: only });
  });

  it.each([
    ["that crashes", "console.error('no good'); process.exit(3);", /exit status 3/],
    ["that answers nonsense", "console.log('{'); process.exit(0);", /exit status 0/],
    [
      "that needs too much memory",
      "const a = []; for (;;) a.push(new Array(1e5).fill({}));",
      /SIGABRT|SIGTRAP|exit status 13\d/,
    ],
    ["that never answers", "setInterval(() => {}, 1000);", /no answer within 1000 ms/],
    ["that answers without end", "setInterval(() => process.stdout.write('x'.repeat(1e6)), 1);", /SIGKILL/],
  ])("%s is an error", async (_what, source, message) => {
    const running = runWorker(
      options(source, { heapMib: 16, timeoutMs: source.includes("1000") ? 1_000 : 20_000 }),
    );
    await expect(running).rejects.toThrow(WorkerError);
    await expect(running).rejects.toThrow(message);
  });

  it("ends at once when its caller gives up", async () => {
    const abort = new AbortController();
    const source = `process.stdout.write(" "); setInterval(() => {}, 1000);`;
    const running = runWorker(options(source, { signal: abort.signal }));
    const reason = new TypeError("stopping");
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  it("does not outlive a caller that is killed", async () => {
    const pidFile = join(directory, "pid");
    const { workerFile } = options(`
      import { writeFileSync, renameSync } from "node:fs";
      process.stdin.resume().once("close", () => process.exit(1));
      writeFileSync(${JSON.stringify(`${pidFile}.new`)}, String(process.pid));
      renameSync(${JSON.stringify(`${pidFile}.new`)}, ${JSON.stringify(pidFile)});`);
    const platform = join(import.meta.dirname, "../../../src/platform/worker-process.ts");
    const caller = spawn(process.execPath, [
      "--input-type=module",
      "-e",
      `import { runWorker } from ${JSON.stringify(platform)};
       await runWorker({ nodeFile: process.execPath, workerFile: ${JSON.stringify(workerFile)}, heapMib: 64, request: 1, timeoutMs: 60000 });`,
    ]);
    await expect.poll(() => existsSync(pidFile)).toBe(true);
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(processStartTicks(pid)).toBeDefined();
    caller.kill("SIGKILL");
    await expect.poll(() => processStartTicks(pid)).toBeUndefined();
  });
});
