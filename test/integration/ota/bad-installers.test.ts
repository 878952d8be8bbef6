import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FetchStatusApp } from "../../../src/ota/index.ts";
import { processStartTicks } from "../../../src/platform/process-table.ts";
import { packageWith } from "../../support/ota-archives.ts";
import { OtaHarness, secretCik } from "../../support/ota-harness.ts";

let harness: OtaHarness;

async function begin(limits: ConstructorParameters<typeof OtaHarness>[0] = {}): Promise<void> {
  harness = new OtaHarness(limits);
  harness.ota.start();
  await harness.pretendInstalled("meter", "1");
}

beforeEach(() => begin());
afterEach(() => harness.dispose());

async function run(script: string): Promise<FetchStatusApp> {
  const report = await harness.install({ "meter.v2.tar.gz": packageWith(script) });
  const [app] = report.apps;
  if (app === undefined) throw new TypeError("no app in the report");
  return app;
}

function expectVersion1Untouched(): void {
  expect(harness.host.deployed).toEqual(["meter 1"]);
  expect(harness.versionsOf("meter")).toEqual(["1"]);
}

describe("an install.sh", () => {
  it("that fails is reported with its exit status and output", async () => {
    const app = await run("#!/bin/sh\necho to stdout\necho to stderr >&2\nexit 7\n");
    expect(app).toMatchObject({
      status: "failed",
      exit_code: 7,
      output: "to stdout\nto stderr\ngwe: install.sh ended with exit status 7\n",
      output_cut: 0,
    });
    expectVersion1Untouched();
  });

  it("that is killed is reported with the signal", async () => {
    const app = await run("#!/bin/sh\nkill -SEGV $$\n");
    expect(app).toMatchObject({
      status: "failed",
      exit_code: null,
      output: "gwe: install.sh was ended by SIGSEGV\n",
    });
    expectVersion1Untouched();
  });

  it("that hangs is ended with its children", async () => {
    await harness.dispose();
    await begin({ limits: { installerTimeoutMs: 400, installerKillAfterMs: 100 } });
    const app = await run(
      "#!/bin/sh\ntrap '' TERM\nsleep 300 & echo $!\necho waiting\nwhile :; do sleep 1; done\n",
    );
    const [child] = app.output.split("\n");
    expect(app).toMatchObject({ status: "failed", exit_code: null });
    expect(app.output).toContain("waiting\n");
    expect(app.output).toMatch(/did not end within \d+ seconds and was ended with all its children/);
    expect(processStartTicks(Number(child))).toBeUndefined();
    expectVersion1Untouched();
  });

  it("that prints 100 MB is installed, with the tail kept and the rest counted", async () => {
    const before = process.memoryUsage().rss;
    const app = await run("#!/bin/sh\nhead -c 100000000 /dev/zero | tr '\\0' 'x'\necho\necho the end\n");
    expect(app.status).toBe("installed");
    expect(app.output.endsWith("x\nthe end\n")).toBe(true);
    expect(app.output_cut + Buffer.byteLength(app.output)).toBe(100_000_009);
    expect(process.memoryUsage().rss - before).toBeLessThan(80 * 1024 * 1024);
  });

  it("that prints binary is reported in valid Unicode", async () => {
    const app = await run("#!/bin/sh\nprintf '\\377\\000\\001caf\\303\\251\\n'\n");
    expect(app).toMatchObject({ status: "installed", output: "\uFFFD\uFFFD\u0001café\n" });
  });

  it("that leaves a child holding stdout is over when it is over itself", async () => {
    const app = await run("#!/bin/sh\nsleep 300 &\necho $!\n");
    expect(app.status).toBe("installed");
    const child = Number(app.output);
    expect(processStartTicks(child)).toBeDefined();
    process.kill(child, "SIGKILL");
  });

  it("that prints the CIK does not get it into the report, even where the output is cut", async () => {
    await harness.dispose();
    await begin({ limits: { installerOutputBytes: 100 } });
    const whole = await run(`#!/bin/sh\necho cik ${secretCik}\n`);
    expect(whole.output).toBe("cik [redacted]\n");
    const torn = await run(
      `#!/bin/sh\nprintf 'x%.0s' $(seq 200)\nprintf '%s' ${secretCik}\nprintf 'y%.0s' $(seq 80)\n`,
    );
    expect(torn.output).not.toContain(secretCik.slice(-20));
    const stored = JSON.stringify(harness.db.prepare("SELECT state FROM ota_jobs").pluck().all());
    expect(stored).not.toContain(secretCik);
  });

  it("without output is fine", async () => {
    expect(await run("#!/bin/sh\n")).toMatchObject({ status: "installed", exit_code: 0, output: "" });
  });
});

describe("an app that is installed", () => {
  it("but does not start is reported as failed with the reason", async () => {
    harness.host.state = "FATAL";
    harness.host.detail = "exited too quickly";
    const app = await run("#!/bin/sh\necho done\n");
    expect(app).toMatchObject({
      status: "failed",
      exit_code: 0,
      output:
        "done\ngwe: installed, but the app does not start: FATAL, exited too quickly; there is no earlier version: the app was withdrawn\n",
    });
  });

  it.each(["RUNNING", "EXITED", "STOPPED", "STARTING", "BACKOFF", "UNKNOWN"] as const)(
    "and is %s counts as installed",
    async (state) => {
      harness.host.state = state;
      expect((await run("#!/bin/sh\n")).status).toBe("installed");
    },
  );

  it("keeps its previous version when it did not start", async () => {
    await harness.install({ "pump.v1.tar.gz": packageWith("#!/bin/sh\n") });
    harness.host.state = "FATAL";
    await harness.install({ "pump.v2.tar.gz": packageWith("#!/bin/sh\n") });
    expect(harness.versionsOf("pump")).toEqual(["1"]);
  });
});

describe("supervision", () => {
  it("that never answers fails the installation instead of holding up all others", async () => {
    await harness.dispose();
    await begin({ limits: { deployTimeoutMs: 50 } });
    harness.host.deploy = () => new Promise(() => undefined);
    expect((await run("#!/bin/sh\n")).output).toMatch(/supervision did not take over the app/);
  });
});
