import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import { type RunProcessOptions, runProcess } from "../../../src/platform/run-process.ts";
import { patienceMs } from "../../support/eventually.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gwe-run-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

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

const gated = { onStarted: () => undefined };

describe.each([
  ["a program", {}],
  ["a program behind the gate", gated],
])("%s", (_what, gate) => {
  it("ends with its exit status and its output, interleaved", async () => {
    const script = "#!/bin/sh\necho one\necho two >&2\nsleep 0.05\necho three\nexit 4\n";
    const outcome = await runProcess(options(script, gate));
    expect(outcome).toMatchObject({ end: "exited", exitCode: 4, signal: undefined, outputBytesCut: 0 });
    expect(outcome.output.toString()).toContain("three\n");
    expect(outcome.output).toHaveLength(14);
  });

  it("ended by a signal says which", async () => {
    const outcome = await runProcess(options("#!/bin/sh\nkill -KILL $$\n", gate));
    expect(outcome).toMatchObject({ end: "signaled", signal: "SIGKILL", exitCode: undefined });
  });

  it("reads nothing from stdin", async () => {
    const outcome = await runProcess(options("#!/bin/sh\ncat; echo end\n", gate));
    expect(outcome.output.toString()).toBe("end\n");
  });

  it("that ignores SIGTERM is killed at its time limit, with its children", async () => {
    const script = "#!/bin/sh\ntrap '' TERM\nsleep 300 &\necho $!\nwhile :; do sleep 0.1; done\n";
    const outcome = await runProcess(options(script, { ...gate, timeoutMs: 300 }));
    expect(outcome.end).toBe("timed-out");
    expect(processStartTicks(Number(outcome.output.toString()))).toBeUndefined();
  });

  it("is ended at its time limit with what has left its process group, and nothing else", async () => {
    const marks = { GWE_TEST_RUN: randomUUID(), GWE_TEST_DIR: directory };
    const stranger = spawn("sleep", ["300"], { env: { ...process.env, GWE_TEST_DIR: directory } });
    const script = "#!/bin/sh\nsetsid sh -c 'trap \"\" TERM; sleep 300 & echo $$ $!; wait' &\nsleep 300\n";
    const env = { PATH: process.env.PATH ?? "", ...marks };
    let pids: readonly number[] = [];
    // On a busy machine it may not have begun at the first limit.
    for (let timeoutMs = 500; pids.length !== 2 && timeoutMs < patienceMs; timeoutMs *= 4) {
      const outcome = await runProcess(options(script, { ...gate, env, marks, timeoutMs }));
      expect(outcome.end).toBe("timed-out");
      pids = outcome.output.toString().trim().split(" ").map(Number);
    }
    expect(pids).toHaveLength(2);
    await expect.poll(() => pids.filter((pid) => processStartTicks(pid) !== undefined)).toEqual([]);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    stranger.kill("SIGKILL");
  });

  it("that is aborted ends at once", async () => {
    const abort = new AbortController();
    const running = runProcess(options("#!/bin/sh\nexec sleep 300\n", { ...gate, signal: abort.signal }));
    abort.abort();
    expect((await running).end).toBe("aborted");
  });

  it("of a caller that has given up already is not begun", async () => {
    const script = `#!/bin/sh\ntouch ${directory}/ran\n`;
    const outcome = await runProcess(options(script, { ...gate, signal: AbortSignal.abort() }));
    expect(outcome.end).toBe("aborted");
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });

  it("does not keep its caller waiting for a child that holds stdout", async () => {
    const outcome = await runProcess(options("#!/bin/sh\nsleep 300 &\necho $!\n", gate));
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
      const outcome = await runProcess(options("#!/bin/sh\ncat text\n", gate));
      expect(outcome.output.toString()).toBe(text.slice(-1_000));
      expect(outcome.outputBytesCut).toBe(Math.max(0, bytes - 1_000));
    },
  );

  it("that is run in a directory that does not exist is not started", async () => {
    const outcome = await runProcess(options("#!/bin/sh\n", { ...gate, cwd: "/nonexistent" }));
    expect(outcome).toMatchObject({ end: "not-started", failure: { code: "ENOENT" } });
  });
});

describe("a program that cannot be executed", () => {
  const missing = { command: "/nonexistent/program" };

  it("is not started", async () => {
    const outcome = await runProcess(options("", missing));
    expect(outcome).toMatchObject({ end: "not-started", failure: { code: "ENOENT" } });
  });

  it("ends as a shell would say it behind the gate", async () => {
    expect(await runProcess(options("", { ...missing, ...gated }))).toMatchObject({
      end: "exited",
      exitCode: 127,
    });
  });
});

describe("the gate", () => {
  it("holds the program back until the start is on record", async () => {
    const script = `#!/bin/sh\ntouch ${directory}/ran\n`;
    let ranBefore: boolean | undefined;
    let identity: number | undefined;
    await runProcess(
      options(script, {
        onStarted: (pid) => {
          // Long enough for a program that is not held back.
          const until = performance.now() + 100;
          while (performance.now() < until) ranBefore = existsSync(join(directory, "ran"));
          identity = processStartTicks(pid);
        },
      }),
    );
    expect({ ranBefore, ran: existsSync(join(directory, "ran")) }).toEqual({ ranBefore: false, ran: true });
    expect(identity).toBeDefined();
  });

  it("stays shut when the record fails", async () => {
    const failure = new TypeError("disk full");
    const outcome = await runProcess(
      options(`#!/bin/sh\ntouch ${directory}/ran\n`, {
        onStarted: () => {
          throw failure;
        },
      }),
    );
    expect(outcome).toMatchObject({ end: "not-started", failure });
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });

  it("stays shut when the caller is killed before the record is made", async () => {
    const { command } = options(`#!/bin/sh\ntouch ${directory}/ran\n`);
    const platform = join(import.meta.dirname, "../../../src/platform/run-process.ts");
    const caller = `
      import { runProcess } from ${JSON.stringify(platform)};
      import { writeFileSync } from "node:fs";
      void runProcess({ command: ${JSON.stringify(command)}, cwd: "/", env: {}, timeoutMs: 9e3, killAfterMs: 1,
        maxOutputBytes: 9, onStarted: (pid) => {
          writeFileSync(${JSON.stringify(join(directory, "pid"))}, String(pid));
          process.kill(process.pid, "SIGKILL");
        } });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", caller], { stdio: "ignore" });
    await new Promise((resolve) => child.once("exit", resolve));
    const pid = Number(readFileSync(join(directory, "pid"), "utf8"));
    await expect.poll(() => processStartTicks(pid)).toBeUndefined();
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });

  it("leaves no trace on the program: pid, arguments and name are its own", async () => {
    let leader: number | undefined;
    const script = '#!/bin/sh\necho "$$ $0 $# $2"\n';
    const outcome = await runProcess(
      options(script, {
        args: ["a b", "c'd"],
        onStarted: (pid) => {
          leader = pid;
        },
      }),
    );
    expect(outcome.output.toString()).toBe(`${leader} ${join(directory, "program")} 2 c'd\n`);
  });
});

describe("a script of somebody else's", () => {
  it("may open /dev/stdout and /dev/stderr, and its output comes in the order it was written", async () => {
    const script =
      "#!/bin/sh\nset -e\nfor i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; echo s$i >/dev/stderr; echo t$i >>/dev/stdout; done\n";
    const outcome = await runProcess(options(script, gated));
    const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `o${i}\ne${i}\ns${i}\nt${i}\n`).join("");
    expect(outcome.output.toString()).toBe(expected);
    expect(outcome.exitCode).toBe(0);
  });

  it("leaves no temporary file and no open file behind", async () => {
    const descriptors = (): number => readdirSync("/proc/self/fd").length;
    vi.stubEnv("TMPDIR", directory);
    await runProcess(options("#!/bin/sh\necho x\n", gated));
    const before = descriptors();
    for (let run = 0; run < 5; run++) await runProcess(options("#!/bin/sh\necho x\n", gated));
    expect(descriptors()).toBeLessThanOrEqual(before);
    expect(readdirSync(directory)).toEqual(["program"]);
    // As a process leaves it that is killed in the middle; the number of none that lives.
    mkdirSync(join(directory, "gwe-pipe-4194305-abc"));
    mkdirSync(join(directory, `gwe-pipe-${process.pid}-abc`));
    await runProcess(options("#!/bin/sh\necho x\n", gated));
    expect(readdirSync(directory)).toEqual([`gwe-pipe-${process.pid}-abc`, "program"]);
  });

  it("runs where no temporary file can be made", async () => {
    vi.stubEnv("TMPDIR", join(directory, "missing"));
    const outcome = await runProcess(options("#!/bin/sh\necho one; echo two >&2\n", gated));
    expect(outcome).toMatchObject({ end: "exited", exitCode: 0 });
    expect(outcome.output).toHaveLength(8);
  });
});
