import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AttendedOutcome,
  attendedHasEnded,
  attendedOutcome,
} from "../../../src/platform/attendant/attended-outcome.ts";
import {
  type AttendedRunOptions,
  attendantEnded,
  startAttended,
} from "../../../src/platform/attendant/attended-run.ts";
import { processStartTicks } from "../../../src/platform/process-table.ts";

const attendantFile = join(import.meta.dirname, "../../../src/platform/attendant/attendant.sh");
const never = new AbortController().signal;
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gwe-attended-"));
  mkdirSync(join(directory, "run"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function options(script: string, overrides: Partial<AttendedRunOptions> = {}): AttendedRunOptions {
  const command = join(directory, "program");
  writeFileSync(command, script);
  chmodSync(command, 0o755);
  return {
    command,
    args: [],
    attendantFile,
    directory: join(directory, "run"),
    cwd: directory,
    env: { PATH: process.env.PATH ?? "" },
    timeoutMs: 20_000,
    killAfterMs: 200,
    outputBytes: 1_000,
    onStarted: () => undefined,
    ...overrides,
  };
}

function outcomeOf(maxBytes = 1_000): AttendedOutcome | undefined {
  return attendedOutcome(join(directory, "run"), maxBytes);
}

async function run(script: string, overrides: Partial<AttendedRunOptions> = {}): Promise<AttendedOutcome> {
  await startAttended(options(script, overrides)).ended;
  const outcome = outcomeOf();
  if (outcome === undefined) throw new TypeError("no outcome");
  return outcome;
}

/** BusyBox alone: its shell, and nothing but its own tools. */
function busyBoxOnly(): Pick<AttendedRunOptions, "shell" | "env"> {
  const tools = join(directory, "bin");
  mkdirSync(tools);
  const { status } = spawnSync("busybox", ["--install", "-s", tools]);
  expect(status).toBe(0);
  return { shell: [join(tools, "sh")], env: { PATH: tools } };
}

describe.each([
  ["dash", () => ({})],
  ["BusyBox", busyBoxOnly],
])("a program attended by %s", (_what, by) => {
  it("ends with its exit status and its output, interleaved, and may open /dev/stderr", async () => {
    const script =
      "#!/bin/sh\nset -e\nfor i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; echo s$i >/dev/stderr; echo t$i >>/dev/stdout; done\nexit 4\n";
    const outcome = await run(script, by());
    const expected = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((i) => `o${i}\ne${i}\ns${i}\nt${i}\n`).join("");
    expect(outcome).toMatchObject({ end: "exited", exitCode: 4, signal: undefined, outputBytesCut: 0 });
    expect(outcome.output.toString()).toBe(expected);
  });

  it("that ignores SIGTERM is killed at its time limit, with its children", async () => {
    const script = "#!/bin/sh\ntrap '' TERM\nsleep 300 &\necho $!\nwhile :; do sleep 0.1; done\n";
    const outcome = await run(script, { ...by(), timeoutMs: 300 });
    expect(outcome).toMatchObject({ end: "timed-out", limitMs: 300 });
    expect(processStartTicks(Number(outcome.output.toString()))).toBeUndefined();
  });

  it("does not keep its caller waiting for a child that holds stdout", async () => {
    const outcome = await run("#!/bin/sh\nsleep 300 &\necho $!\n", by());
    const child = Number(outcome.output.toString());
    expect(outcome).toMatchObject({ end: "exited", exitCode: 0 });
    expect(processStartTicks(child)).toBeDefined();
    process.kill(child, "SIGKILL");
  });

  it("that prints more than is kept has the end kept and the rest counted", async () => {
    const outcome = await run("#!/bin/sh\nhead -c 3000000 /dev/zero | tr '\\0' x\necho\necho end\n", by());
    expect(outcome.output).toHaveLength(1_000);
    expect(outcome.output.subarray(-6).toString()).toBe("x\nend\n".slice(-6));
    expect(outcome.outputBytesCut).toBe(3_000_005 - 1_000);
  });
});

describe("an attended program", () => {
  it("ended by a signal says which", async () => {
    const outcome = await run("#!/bin/sh\nkill -SEGV $$\n");
    expect(outcome).toMatchObject({ end: "signaled", signal: "SIGSEGV", exitCode: undefined });
    expect(outcome.output).toHaveLength(0);
  });

  it("reads nothing from stdin, leads its process group, and gets the signals that a shell's background has not", async () => {
    const outcome = await run(
      '#!/bin/sh\ncat\nread -r stat </proc/$$/stat\nset -- $stat\n[ "$5" = $$ ] && echo leader\ngrep SigIgn /proc/$$/status\n',
    );
    expect(outcome.output.toString()).toBe("leader\nSigIgn:\t0000000000000000\n");
  });

  it.each([0, 1, 999, 1_000, 1_001, 2_500])("that prints %i bytes keeps the last 1000", async (bytes) => {
    const text = Array.from({ length: bytes }, (_, index) => String.fromCharCode(97 + (index % 26))).join("");
    writeFileSync(join(directory, "text"), text);
    const outcome = await run("#!/bin/sh\ncat text\n");
    expect(outcome.output.toString()).toBe(text.slice(-1_000));
    expect(outcome.outputBytesCut).toBe(Math.max(0, bytes - 1_000));
  });

  it("gets its arguments as they are", async () => {
    const script = '#!/bin/sh\necho "$0 $# $2"\n';
    const outcome = await run(script, { args: ["a b", "c'd"] });
    expect(outcome.output.toString()).toBe(`${join(directory, "program")} 2 c'd\n`);
  });

  it("that cannot be executed ends as a shell says it", async () => {
    const outcome = await run("", { command: "/nonexistent/program" });
    expect(outcome).toMatchObject({ end: "exited", exitCode: 127 });
    expect(outcome.output.toString()).toContain("/nonexistent/program");
  });

  it("that is to run in a directory that does not exist is not started", async () => {
    let wasStarted = false;
    const { ended } = startAttended(
      options("#!/bin/sh\n", {
        cwd: "/nonexistent",
        onStarted: () => {
          wasStarted = true;
        },
      }),
    );
    await expect(ended).rejects.toMatchObject({ code: "ATTENDANT", cause: { code: "ENOENT" } });
    expect(wasStarted).toBe(false);
  });

  it("whose attendant is ended by SIGTERM, as by a shutdown, leaves no word of how it ended", async () => {
    let attendant = 0;
    // Killed by the same signal, and a moment earlier.
    const script = `#!/bin/sh\necho ready >${directory}/ready\nread -r x <${directory}/hold\nkill -TERM $$\n`;
    spawnSync("mkfifo", [join(directory, "hold")]);
    const { ended } = startAttended(
      options(script, {
        onStarted: (pid) => {
          attendant = pid;
        },
      }),
    );
    await expect.poll(() => existsSync(join(directory, "ready"))).toBe(true);
    process.kill(attendant, "SIGTERM");
    await ended;
    expect(outcomeOf()).toBeUndefined();
    writeFileSync(join(directory, "hold"), "go\n");
  });
});

describe("the gate", () => {
  it("holds the program back until the start is on record", async () => {
    let ranBefore: boolean | undefined;
    await run(`#!/bin/sh\ntouch ${directory}/ran\n`, {
      onStarted: () => {
        // Long enough for a program that is not held back.
        const until = performance.now() + 100;
        while (performance.now() < until) ranBefore = existsSync(join(directory, "ran"));
      },
    });
    expect({ ranBefore, ran: existsSync(join(directory, "ran")) }).toEqual({ ranBefore: false, ran: true });
  });

  it("stays shut when the record fails", async () => {
    const failure = new TypeError("disk full");
    let attendant = 0;
    const begin = (): unknown =>
      startAttended(
        options(`#!/bin/sh\ntouch ${directory}/ran\n`, {
          onStarted: (pid) => {
            attendant = pid;
            throw failure;
          },
        }),
      );
    expect(begin).toThrow(failure);
    await expect.poll(() => processStartTicks(attendant)).toBeUndefined();
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });
});

describe("a program whose caller is killed", () => {
  /** Begins a run in a process of its own that kills itself, in `onStarted` or when the program runs. */
  async function beginAndDie(script: string, when: "in onStarted" | "when it runs"): Promise<number> {
    const { onStarted: _, ...rest } = options(script);
    const source = join(import.meta.dirname, "../../../src/platform/attendant/attended-run.ts");
    const die = `process.kill(process.pid, "SIGKILL")`;
    const caller = `
      import { startAttended } from ${JSON.stringify(source)};
      import { existsSync, writeFileSync } from "node:fs";
      startAttended({ ...${JSON.stringify(rest)}, onStarted: (pid) => {
        writeFileSync(${JSON.stringify(join(directory, "pid"))}, String(pid));
        ${when === "in onStarted" ? die : ""}
      } });
      setInterval(() => existsSync(${JSON.stringify(join(directory, "ran"))}) && ${die}, 5);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", caller], { stdio: "ignore" });
    await new Promise((resolve) => child.once("exit", resolve));
    return Number(readFileSync(join(directory, "pid"), "utf8"));
  }

  it("before the start is on record is not run", async () => {
    const pid = await beginAndDie(`#!/bin/sh\ntouch ${directory}/ran\n`, "in onStarted");
    await expect.poll(() => processStartTicks(pid)).toBeUndefined();
    expect(existsSync(join(directory, "ran"))).toBe(false);
  });

  it("runs on to its end, which another process is told of", async () => {
    spawnSync("mkfifo", [join(directory, "hold")]);
    const script = `#!/bin/sh\necho before\ntouch ${directory}/ran\nread -r word <${directory}/hold\necho "$word"\nexit 3\n`;
    const pid = await beginAndDie(script, "when it runs");
    const startTicks = processStartTicks(pid);
    expect(startTicks).toBeDefined();
    expect(outcomeOf()).toBeUndefined();
    expect(attendedHasEnded(join(directory, "run"))).toBe(false);
    const given = new AbortController();
    const waiting = attendantEnded(
      { pid, startTicks: startTicks ?? 0 },
      join(directory, "run"),
      given.signal,
    );
    given.abort(new TypeError("given up"));
    await expect(waiting).rejects.toThrow("given up");
    const ended = attendantEnded({ pid, startTicks: startTicks ?? 0 }, join(directory, "run"), never);
    writeFileSync(join(directory, "hold"), "after\n");
    await ended;
    expect(attendedHasEnded(join(directory, "run"))).toBe(true);
    const outcome = outcomeOf();
    expect(outcome).toMatchObject({ end: "exited", exitCode: 3 });
    expect(outcome?.output.toString()).toBe("before\nafter\n");
  });
});

describe("what is left in the directory", () => {
  it.each(["", "ended 0", "ended 0 0 1800", "ended x 0 1800\n", "\0\0\0\0\0\0\0\0"])(
    "is no outcome where its status is torn: %j",
    (status) => {
      writeFileSync(join(directory, "run/status"), status);
      expect(outcomeOf()).toBeUndefined();
      expect(attendedHasEnded(join(directory, "run"))).toBe(false);
    },
  );

  it("tells the end without a look at the output", () => {
    writeFileSync(join(directory, "run/status"), "ended 0 0 1800\n");
    // Whoever reads it fails.
    mkdirSync(join(directory, "run/output"));
    expect(attendedHasEnded(join(directory, "run"))).toBe(true);
    expect(() => outcomeOf()).toThrow("EISDIR");
  });
});
