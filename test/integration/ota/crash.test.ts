import { execFileSync, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isSameProcessAlive, processStartTicks } from "../../../src/platform/process-table.ts";
import { goodSupervisorConf, packageWith, type RawMember } from "../../support/ota-archives.ts";
import { OtaHarness, quickProbation, workerFile } from "../../support/ota-harness.ts";
import { bundleProgram } from "../../support/program-bundle.ts";

const env = { ...process.env, GWE_TEST_OTA_WORKER: workerFile };
const child = bundleProgram("test/support/ota-crash-child.ts");
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "gwe-ota-crash-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

/** Where a long-running app's installation goes through, in order. */
const path = [
  "received -> queued",
  "queued -> downloading",
  "downloading -> verifying",
  "verifying -> unpacking",
  "unpacking -> installing",
  "installing -> installing",
  "installing -> activating",
  "activating -> committed",
];

function writePackage(script: string, others: readonly RawMember[] = [goodSupervisorConf]): string {
  const file = join(home, "meter.v2.tar.gz");
  writeFileSync(file, packageWith(script, others));
  return file;
}

/** Runs the pipeline until it kills itself at transition `killAt`; answers which one that was. */
function runUntilKilled(killAt: number, packageFile: string): string {
  try {
    execFileSync(process.execPath, [child, home, String(killAt), packageFile], {
      encoding: "utf8",
      env,
    });
  } catch (error) {
    const { signal, stdout, stderr } = error as { signal: string | null; stdout: string; stderr: string };
    expect({ signal, stderr }).toEqual({ signal: "SIGKILL", stderr: "" });
    return stdout.trim().split("\n").at(-1) ?? "";
  }
  return "";
}

/** The next start of the engine: everything under way ends. */
async function restart<T>(packageFile: string, examine: (harness: OtaHarness) => T | Promise<T>): Promise<T> {
  const harness = new OtaHarness({ limits: { clearingGraceMs: 0 } }, home);
  try {
    harness.content.files.set("meter.v2.tar.gz", readFileSync(packageFile));
    harness.ota.start();
    await harness.ota.idle();
    return await examine(harness);
  } finally {
    await harness.dispose();
  }
}

describe("a kill -9 of the engine", () => {
  it.each(path.map((step, index) => [step, index + 1] as const))(
    "at %s: the next start finishes the installation",
    async (step, killAt) => {
      const packageFile = writePackage(`#!/bin/sh\necho run >> ${home}/runs\n`);
      expect(runUntilKilled(killAt, packageFile)).toBe(step);
      await restart(packageFile, (harness) => {
        expect(harness.host.installed("meter")?.version).toBe("2");
        expect(harness.versionsOf("meter")).toEqual(["2"]);
        expect(readdirSync(join(home, "packages"))).toEqual([]);
        expect(harness.reports()).toHaveLength(1);
        expect(harness.reports()[0]?.apps).toMatchObject([
          { name: "meter", version: "2", status: "installed" },
        ]);
      });
      const runs = readFileSync(join(home, "runs"), "utf8").split("\n").length - 1;
      expect(runs).toBe(1);
    },
  );

  it.each(path.map((step, index) => [step, index + 1] as const))(
    "at %s: a one-off package runs at most once",
    async (step, killAt) => {
      const packageFile = writePackage(`#!/bin/sh\necho run >> ${home}/runs\n`, []);
      expect(runUntilKilled(killAt, packageFile)).toBe(step);
      const started = killAt === 6;
      await restart(packageFile, (harness) => {
        expect(harness.reports()).toHaveLength(1);
        expect(harness.reports()[0]?.apps).toMatchObject([{ status: started ? "interrupted" : "installed" }]);
        expect(harness.versionsOf("meter")).toEqual(started ? [] : ["2"]);
      });
      // Killed before the gate opened, the installer has not done anything, and is not run again either.
      expect(existsSync(join(home, "runs"))).toBe(!started);
    },
  );

  it("while an installer runs, and another before, lets both run to their end, once", async () => {
    const scripts: RawMember[] = ["pre-install", "post-install"].map((name) => ({
      name,
      mode: 0o755,
      content: `#!/bin/sh\necho ${name} | tee -a ${home}/runs\n`,
    }));
    const packageFile = writePackage(`${heldScript()}echo install.sh | tee -a ${home}/runs\n`, [
      goodSupervisorConf,
      ...scripts,
    ]);
    const pid = await killWhileInstalling(packageFile);
    const ticks = processStartTicks(pid);
    const adopted = restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([
        { status: "installed", exit_code: 0, output: "pre-install\ninstall.sh\npost-install\n" },
      ]);
      expect(readdirSync(join(home, "scripts"))).toEqual([]);
    });
    expect(isSameProcessAlive({ pid, startTicks: ticks ?? 0 })).toBe(true);
    letGo();
    await adopted;
    expect(readFileSync(join(home, "runs"), "utf8")).toBe("pre-install\ninstall.sh\npost-install\n");
  });

  it("while an installer runs takes what came of it while no engine was there", async () => {
    const packageFile = writePackage(`${heldScript()}echo end | tee -a ${home}/runs\nexit 9\n`);
    await killWhileInstalling(packageFile);
    letGo();
    await expect.poll(() => existsSync(statusFile())).toBe(true);
    await restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([
        { status: "failed", exit_code: 9, output: "end\ngwe: install.sh ended with exit status 9\n" },
      ]);
    });
    expect(readFileSync(join(home, "runs"), "utf8")).toBe("end\n");
  });

  it("while a one-off runs lets it run to its end", async () => {
    const packageFile = writePackage(`${heldScript()}echo end | tee -a ${home}/runs\n`, []);
    await killWhileInstalling(packageFile);
    const adopted = restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([{ status: "installed", output: "end\n" }]);
    });
    letGo();
    await adopted;
    expect(readFileSync(join(home, "runs"), "utf8")).toBe("end\n");
  });

  it("and of all that attends a one-off, as by a power cut, interrupts it; what it started is ended", async () => {
    const packageFile = writePackage(
      `#!/bin/sh\nsetsid sleep 300 >/dev/null 2>&1 &\necho $! > ${home}/started\necho $$ >> ${home}/pids\nsleep 300\n`,
      [],
    );
    const pid = await killWhileInstalling(packageFile);
    process.kill(attendantOf(pid), "SIGKILL");
    process.kill(-pid, "SIGKILL");
    await restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([
        { status: "interrupted", output: expect.stringContaining("a one-off package is not run twice") },
      ]);
    });
    expect(processStartTicks(Number(readFileSync(join(home, "started"), "utf8")))).toBeUndefined();
    expect(readFileSync(join(home, "pids"), "utf8").trim().split("\n")).toHaveLength(1);
  });

  it("and of an installer's attendant ends that installer before it is run again", async () => {
    const packageFile = writePackage(
      `#!/bin/sh\necho $$ >> ${home}/pids\n[ $(wc -l < ${home}/pids) -gt 1 ] || sleep 300\n`,
    );
    const pid = await killWhileInstalling(packageFile);
    const ticks = processStartTicks(pid);
    process.kill(attendantOf(pid), "SIGKILL");
    await restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([{ status: "installed" }]);
    });
    expect(isSameProcessAlive({ pid, startTicks: ticks ?? 0 })).toBe(false);
  });

  it("and of the machine, when the installer had ended, does not run it again", async () => {
    const packageFile = writePackage(`${heldScript()}echo end | tee -a ${home}/runs\n`);
    await killWhileInstalling(packageFile);
    letGo();
    await expect.poll(() => existsSync(statusFile())).toBe(true);
    const before = new OtaHarness({}, home);
    before.db
      .prepare("UPDATE ota_jobs SET state = json_set(state, '$.process.bootId', 'the boot before')")
      .run();
    await before.dispose();
    await restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([{ status: "installed", output: "end\n" }]);
    });
    expect(readFileSync(join(home, "runs"), "utf8")).toBe("end\n");
  });

  it("at any moment, many times: every command that was taken is reported once, and the app is whole", async () => {
    const packageFile = writePackage("#!/bin/sh\nsleep 0.02\ncat data\n", [
      goodSupervisorConf,
      { name: "data", content: "x".repeat(200_000) },
    ]);
    for (let afterMs = 0; afterMs < 300; afterMs += 30) {
      const engine = spawn(process.execPath, [child, home, "0", packageFile], { env });
      const ended = new Promise((resolve) => engine.once("exit", resolve));
      await new Promise((resolve) => engine.stdout.once("data", resolve));
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      engine.kill("SIGKILL");
      await ended;
    }
    await restart(packageFile, (harness) => {
      const commands = harness.db.prepare("SELECT count(*) FROM ota_commands").pluck().get();
      expect(commands).toBeGreaterThan(0);
      expect(harness.reports()).toHaveLength(Number(commands));
      for (const report of harness.reports()) {
        expect(report.apps).toMatchObject([{ name: "meter", version: "2", status: "installed" }]);
      }
      // What a dying worker of the last killed engine may still be filling goes with the next clean-up.
      const versions = harness.versionsOf("meter").filter((name) => !name.startsWith(".unpacking-"));
      expect(versions.length).toBeLessThanOrEqual(2);
      for (const version of versions) {
        expect(statSync(join(harness.apps, "meter", version, "data")).size).toBe(200_000);
      }
      expect(harness.host.installed("meter")?.version).toBe("2");
      expect(readdirSync(join(home, "packages"))).toEqual([]);
    });
  });

  it("and of the machine leaves alone whoever has the installer's pid now", async () => {
    const packageFile = writePackage("#!/bin/sh\n");
    expect(runUntilKilled(6, packageFile)).toBe("installing -> installing");
    const stranger = spawn("sleep", ["300"], { detached: true, stdio: "ignore" });
    const pid = stranger.pid ?? 0;
    try {
      const before = new OtaHarness({}, home);
      before.db
        .prepare("UPDATE ota_jobs SET state = json_set(state, '$.process', json(?))")
        .run(JSON.stringify({ pid, startTicks: processStartTicks(pid), bootId: "the boot before" }));
      await before.dispose();
      await restart(packageFile, (harness) => {
        expect(harness.reports()[0]?.apps).toMatchObject([{ status: "installed" }]);
      });
      expect(processStartTicks(pid)).toBeDefined();
    } finally {
      process.kill(pid, "SIGKILL");
    }
  });

  it("by a newer version, whose states this one does not know, runs nothing twice", async () => {
    const packageFile = writePackage(`#!/bin/sh\ntouch ${home}/ran\n`);
    expect(runUntilKilled(2, packageFile)).toBe("queued -> downloading");
    const before = new OtaHarness({}, home);
    before.db.prepare("UPDATE ota_jobs SET state = ?").run('{"phase":"levitating"}');
    await before.dispose();
    await restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([
        { status: "failed", output: expect.stringContaining("cannot be read by this version") },
      ]);
    });
    expect(existsSync(join(home, "ran"))).toBe(false);
  });

  /** The beginning of a script that notes its pid and waits to be let go. */
  function heldScript(): string {
    execFileSync("mkfifo", [join(home, "hold")]);
    return `#!/bin/sh\necho $$ >> ${home}/pids\nread -r word < ${home}/hold\n`;
  }

  function letGo(): void {
    writeFileSync(join(home, "hold"), "go\n");
  }

  function statusFile(): string {
    const [run = ""] = readdirSync(join(home, "scripts"));
    return join(home, "scripts", run, "status");
  }

  function attendantOf(installer: number): number {
    return Number(readFileSync(`/proc/${installer}/stat`, "latin1").split(") ")[1]?.split(" ")[1]);
  }

  async function killWhileInstalling(packageFile: string): Promise<number> {
    const engine = spawn(process.execPath, [child, home, "0", packageFile], {
      stdio: "ignore",
      env,
    });
    const ended = new Promise((resolve) => engine.once("exit", resolve));
    await expect
      .poll(() => existsSync(join(home, "pids")) && readFileSync(join(home, "pids"), "utf8"))
      .toMatch(/\d\n/);
    engine.kill("SIGKILL");
    await ended;
    return Number(readFileSync(join(home, "pids"), "utf8"));
  }

  it("over and over ends in a report, not in an endless loop", async () => {
    const packageFile = writePackage("#!/bin/sh\n");
    // Each run resumes (one transition) and is killed there.
    expect(runUntilKilled(2, packageFile)).toBe("queued -> downloading");
    const db = new OtaHarness({}, home);
    db.db.prepare("UPDATE ota_jobs SET transitions = 38").run();
    await db.dispose();
    expect(runUntilKilled(1, packageFile)).toBe("downloading -> downloading");
    await restart(packageFile, (harness) => {
      expect(harness.reports()[0]?.apps).toMatchObject([
        { status: "failed", output: "gwe: gave up after 40 transitions\n" },
      ]);
    });
  });

  it("leaves nothing that a worker unpacks after the clean-up at the start", async () => {
    const packageFile = writePackage("#!/bin/sh\nmkdir -p ../.unpacking-9-4/late\n");
    await restart(packageFile, async (harness) => {
      await harness.send({ install: [{ name: "meter.v2.tar.gz" }] });
      expect(harness.versionsOf("meter")).toEqual(["2"]);
    });
  });

  it("leaves no half-unpacked app, package or directory behind", async () => {
    const packageFile = writePackage("#!/bin/sh\n");
    for (const leftover of ["apps/meter/.unpacking-9-4", "apps/other/.unpacking-1-1"]) {
      mkdirSync(join(home, leftover), { recursive: true });
      writeFileSync(join(home, leftover, "install.sh"), "half of it");
    }
    mkdirSync(join(home, "packages"));
    writeFileSync(join(home, "packages/other.v1.tar.gz.partial"), "half of it");
    expect(runUntilKilled(4, packageFile)).toBe("verifying -> unpacking");
    await restart(packageFile, () => undefined);
    expect(readdirSync(join(home, "apps/meter"))).toEqual(["2"]);
    expect(readdirSync(join(home, "apps/other"))).toEqual([]);
    expect(readdirSync(join(home, "packages"))).toEqual([]);
  });
});

describe("an orderly stop", () => {
  it("leaves an installer alone, whose time limit goes on, and the next start takes what came of it", async () => {
    const harness = new OtaHarness({ limits: { stopGraceMs: 10_000, installerTimeoutMs: 600 } });
    harness.content.files.set("meter.v2.tar.gz", packageWith("#!/bin/sh\necho > ../began\nexec sleep 300\n"));
    await stopWhileInstalling(harness);
    expect(harness.ota.jobs()).toMatchObject([{ state: "installing" }]);
    const [run = ""] = readdirSync(join(harness.home, "scripts"));
    await expect.poll(() => existsSync(join(harness.home, "scripts", run, "status"))).toBe(true);
    harness.ota.start();
    await harness.ota.idle();
    expect(harness.reports()[0]?.apps).toMatchObject([
      { status: "failed", output: expect.stringContaining("install.sh did not end within 1 seconds") },
    ]);
    await harness.dispose();
  });

  it("ends a health script, which the next start asks anew", async () => {
    const harness = new OtaHarness({ limits: quickProbation });
    const health = {
      name: "health",
      mode: 0o755,
      content: "#!/bin/sh\n[ -e ../began ] && exit 0\necho > ../began\nexec sleep 300\n",
    };
    harness.content.files.set("meter.v2.tar.gz", packageWith("#!/bin/sh\n", [goodSupervisorConf, health]));
    await stopWhileInstalling(harness);
    expect(harness.ota.jobs()).toMatchObject([{ state: "probation" }]);
    harness.ota.start();
    await harness.ota.idle();
    expect(harness.reports()[0]?.apps).toMatchObject([{ status: "installed" }]);
    await harness.dispose();
  });

  it("does not wait for supervision that is busy; the next start hands the app over again", async () => {
    const harness = new OtaHarness();
    const deploy = harness.host.deploy.bind(harness.host);
    const called = Promise.withResolvers<void>();
    harness.host.deploy = () => {
      called.resolve();
      return Promise.withResolvers<void>().promise;
    };
    harness.content.files.set("meter.v2.tar.gz", packageWith("#!/bin/sh\n"));
    harness.ota.start();
    const { key } = harness.ota.accept({ text: '{"install":[{"name":"meter.v2.tar.gz"}]}' });
    harness.ota.acknowledgeCleared(key);
    await called.promise;
    await harness.ota.stop();
    expect(harness.ota.jobs()).toMatchObject([{ state: "activating" }]);
    harness.host.deploy = deploy;
    harness.ota.start();
    await harness.ota.idle();
    expect(harness.host.installed("meter")?.version).toBe("2");
    await harness.dispose();
  });

  async function stopWhileInstalling(harness: OtaHarness): Promise<void> {
    harness.ota.start();
    const { key } = harness.ota.accept({ text: '{"install":[{"name":"meter.v2.tar.gz"}]}' });
    harness.ota.acknowledgeCleared(key);
    await expect.poll(() => existsSync(join(harness.apps, "meter/began"))).toBe(true);
    await harness.ota.stop();
  }
});
