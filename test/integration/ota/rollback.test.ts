import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FetchStatusApp } from "../../../src/ota/index.ts";
import { goodSupervisorConf, packageWith, type RawMember } from "../../support/ota-archives.ts";
import { OtaHarness, secretCik } from "../../support/ota-harness.ts";

let harness: OtaHarness;
let runs: string;

beforeEach(() => {
  harness = new OtaHarness({
    limits: { probationMs: 60, probationPollMs: 10, healthRetryMs: 10, settleTimeoutMs: 100 },
  });
  runs = join(harness.home, "runs");
  harness.ota.start();
});
afterEach(() => harness.dispose());

/** A package that notes each of its scripts as it runs: `install.sh 1 from 2`. */
function noting(scripts: Readonly<Record<string, string>> = {}): Buffer {
  const note = `echo "$(basename $0) $GWE_APP_VERSION from $GWE_PREVIOUS_VERSION" | tee -a ${runs}`;
  const members = Object.entries(scripts).map(
    ([name, end]): RawMember => ({ name, mode: 0o755, content: `#!/bin/sh\n${note}\n${end}\n` }),
  );
  return packageWith(`#!/bin/sh\n${note}\n${scripts["install.sh"] ?? ""}\n`, [
    goodSupervisorConf,
    ...members.filter(({ name }) => name !== "install.sh"),
  ]);
}

const installVersion = async (version: string, content: Buffer): Promise<FetchStatusApp | undefined> =>
  (await harness.install({ [`meter.v${version}.tar.gz`]: content })).apps[0];
const scriptsRun = (): readonly string[] =>
  existsSync(runs) ? readFileSync(runs, "utf8").split("\n").slice(0, -1) : [];

describe("a package's scripts", () => {
  it("run in their order, as the installer does, and all they print is told", async () => {
    const app = await installVersion("1", noting({ "pre-install": "", "post-install": "", health: "" }));
    expect(app).toMatchObject({
      status: "installed",
      exit_code: 0,
      output: "pre-install 1 from \ninstall.sh 1 from \npost-install 1 from \n",
    });
    expect(scriptsRun()).toEqual([
      "pre-install 1 from ",
      "install.sh 1 from ",
      "post-install 1 from ",
      "health 1 from ",
    ]);
  });

  it.each(["pre-install", "post-install"])("fail the installation when %s fails", async (script) => {
    const app = await installVersion("1", noting({ [script]: "exit 7" }));
    expect(app).toMatchObject({
      status: "failed",
      exit_code: 7,
      output: expect.stringContaining(`gwe: ${script} ended with exit status 7`),
    });
    expect(scriptsRun().includes("install.sh 1 from ")).toBe(script === "post-install");
    expect(harness.host.installed("meter")).toBeUndefined();
  });

  it("of that name that cannot be executed are none: old packages may hold such files", async () => {
    const health: RawMember = { name: "health", content: "is fine" };
    const app = await installVersion("1", packageWith("#!/bin/sh\n", [goodSupervisorConf, health]));
    expect(app?.status).toBe("installed");
  });
});

describe("an installer that fails", () => {
  it("has the files of the version that still runs put right by its own installer", async () => {
    await installVersion("1", noting());
    const app = await installVersion("2", noting({ "install.sh": "exit 3" }));
    expect(app).toMatchObject({
      version: "2",
      status: "rolled-back",
      exit_code: 3,
      output:
        "install.sh 2 from 1\n" +
        "gwe: install.sh of version 1, to put it back:\n" +
        "install.sh 1 from 2\n" +
        "gwe: install.sh ended with exit status 3; version 1 runs on\n",
    });
    // It was never stopped.
    expect(harness.host.deployed).toEqual(["meter 1"]);
    expect(harness.versionsOf("meter")).toEqual(["1"]);
  });

  it("twice, since the earlier one fails too, is reported as a failure, and the earlier version runs on", async () => {
    await installVersion("1", noting({ "install.sh": '[ -z "$GWE_PREVIOUS_VERSION" ] || exit 4' }));
    const app = await installVersion("2", noting({ "install.sh": "exit 3" }));
    expect(app).toMatchObject({
      status: "failed",
      exit_code: 3,
      output: expect.stringContaining(
        "gwe: install.sh ended with exit status 3; the rollback failed: in version 1, install.sh ended with exit status 4; version 1 runs on\n",
      ),
    });
    expect(harness.host.installed("meter")?.version).toBe("1");
  });
});

describe("a version that does not start", () => {
  beforeEach(() => {
    harness.host.versionStates.set("2", "FATAL");
    harness.host.logFile = join(harness.home, "meter.log");
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
    writeFileSync(harness.host.logFile, `${lines.join("\n")}\nmy cik is ${secretCik}\n`);
  });

  it("makes way for the one before, and its last words are told without secrets", async () => {
    await installVersion("1", noting());
    const app = await installVersion("2", noting());
    expect(app).toMatchObject({ version: "2", status: "rolled-back", exit_code: 0 });
    expect(app?.output).toMatch(
      /^install\.sh 2 from 1\ngwe: the last lines of .*meter\.log:\nline 11\nline 12\n/,
    );
    expect(app?.output).toContain("line 29\nmy cik is [redacted]\n");
    expect(app?.output).toMatch(
      /gwe: installed, but the app does not start: FATAL; version 1 is back: RUNNING\n$/,
    );
    expect(harness.host.deployed).toEqual(["meter 1", "meter 2", "meter 1"]);
    expect(harness.host.installed("meter")?.directory).toBe(join(harness.apps, "meter/1"));
    expect(harness.versionsOf("meter")).toEqual(["1"]);
    expect(scriptsRun().at(-1)).toBe("install.sh 1 from 2");
  });

  it("and was the first is withdrawn, not left FATAL", async () => {
    const app = await installVersion("2", noting());
    expect(app).toMatchObject({
      status: "failed",
      output: expect.stringContaining("there is no earlier version: the app was withdrawn"),
    });
    expect(harness.host.installed("meter")).toBeUndefined();
    expect(harness.versionsOf("meter")).toEqual([]);
  });

  it("nor the one before: that one stays registered, and both are told", async () => {
    await installVersion("1", noting());
    harness.host.versionStates.set("1", "FATAL");
    const app = await installVersion("2", noting());
    expect(app).toMatchObject({
      status: "failed",
      output: expect.stringContaining(
        "the rollback failed: version 1 does not start; version 1 is back: FATAL",
      ),
    });
    expect(harness.host.installed("meter")?.version).toBe("1");
    expect(harness.ota.jobs()).toEqual([]);
  });

  it("makes way for the one before even when that one's installer fails", async () => {
    await installVersion("1", noting({ "install.sh": '[ -z "$GWE_PREVIOUS_VERSION" ] || exit 4' }));
    const app = await installVersion("2", noting());
    expect(app).toMatchObject({
      status: "failed",
      output: expect.stringContaining("install.sh ended with exit status 4; version 1 is back: RUNNING"),
    });
    expect(harness.host.installed("meter")?.version).toBe("1");
  });
});

describe("a probation", () => {
  it("is passed by a version that stays up and is healthy", async () => {
    await installVersion("1", noting());
    const app = await installVersion("2", noting({ health: "" }));
    expect(app?.status).toBe("installed");
    expect(harness.versionsOf("meter")).toEqual(["1", "2"]);
  });

  it("may be passed at the third time of asking", async () => {
    const app = await installVersion("1", noting({ health: `[ $(grep -c health ${runs}) -ge 3 ]` }));
    expect(app?.status).toBe("installed");
    expect(scriptsRun().filter((line) => line.startsWith("health"))).toHaveLength(3);
  });

  it("fails a version that is not healthy", async () => {
    await installVersion("1", noting());
    const app = await installVersion("2", noting({ health: "exit 2" }));
    expect(app).toMatchObject({
      status: "rolled-back",
      output: expect.stringMatching(
        /what health printed:\nhealth 2 from \n(.|\n)*gwe: unhealthy: health ended with exit status 2 \(asked 3 times\); version 1 is back: RUNNING/,
      ),
    });
    expect(harness.host.installed("meter")?.version).toBe("1");
  });

  it("fails a version that ends and is started again", async () => {
    await installVersion("1", noting());
    harness.host.onLook = (look) => {
      // The first is the start's, the second the first of the probation.
      if (look > 2) harness.host.restarts = 1;
    };
    const app = await installVersion("2", noting({ health: "" }));
    expect(app).toMatchObject({
      status: "rolled-back",
      output: expect.stringContaining("did not stay up: it ended and was started again"),
    });
    expect(scriptsRun()).not.toContain("health 2 from ");
  });

  it.each(["FATAL", "BACKOFF"] as const)("fails a version that becomes %s", async (state) => {
    await installVersion("1", noting());
    harness.host.onLook = (look) => {
      if (look > 4) harness.host.versionStates.set("2", state);
    };
    const app = await installVersion("2", noting({ health: "" }));
    expect(app).toMatchObject({
      status: "rolled-back",
      output: expect.stringContaining(`did not stay up: ${state}`),
    });
  });

  it("is not reached by a version with a health script that is in BACKOFF from its start", async () => {
    await installVersion("1", noting());
    harness.host.versionStates.set("2", "BACKOFF");
    expect(await installVersion("2", noting({ health: "" }))).toMatchObject({
      status: "rolled-back",
      output: expect.stringContaining("the app does not start: BACKOFF"),
    });
  });

  it("is over for an app that ends for good: many run once at boot", async () => {
    harness.host.onLook = (look) => {
      if (look > 2) harness.host.state = "EXITED";
    };
    const app = await installVersion("1", noting({ health: "exit 1" }));
    expect(app).toMatchObject({
      status: "installed",
      output: expect.stringContaining("gwe: installed; EXITED, exit status 0"),
    });
    expect(harness.host.installed("meter")?.version).toBe("1");
  });

  it("is not for an app that is wanted stopped", async () => {
    harness.host.state = "STOPPED";
    const app = await installVersion("1", noting({ health: "exit 1" }));
    expect(app).toMatchObject({ status: "installed", output: expect.stringContaining("wanted stopped") });
    expect(scriptsRun()).toEqual(["install.sh 1 from "]);
  });

  it("does not wait for ever for an app that does not come up", async () => {
    await installVersion("1", noting());
    harness.host.versionStates.set("2", "STARTING");
    const app = await installVersion("2", noting({ health: "" }));
    expect(app).toMatchObject({
      status: "rolled-back",
      output: expect.stringContaining("not RUNNING in time for its probation: STARTING"),
    });
  });
});

describe("versions beyond the disk budget", () => {
  const bulk: RawMember = { name: "bulk", content: Buffer.alloc(100_000) };
  const bulky = packageWith("#!/bin/sh\n", [goodSupervisorConf, bulk]);

  it("go, oldest first, but never the current one and the one before", async () => {
    await harness.dispose();
    harness = new OtaHarness({ limits: { keptVersions: 5, keptBytes: 350_000 } });
    harness.ota.start();
    for (const version of ["1", "2", "3", "4"]) await installVersion(version, bulky);
    expect(harness.versionsOf("meter")).toEqual(["2", "3", "4"]);
    await harness.dispose();
    harness = new OtaHarness({ limits: { keptVersions: 5, keptBytes: 1 } });
    harness.ota.start();
    for (const version of ["1", "2", "3"]) await installVersion(version, bulky);
    expect(harness.versionsOf("meter")).toEqual(["2", "3"]);
  });
});
