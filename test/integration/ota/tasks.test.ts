import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { goodPackage, goodSupervisorConf, packageWith } from "../../support/ota-archives.ts";
import { OtaHarness, secretCik } from "../../support/ota-harness.ts";

let harness: OtaHarness;

beforeEach(() => {
  harness = new OtaHarness();
  harness.ota.start();
});
afterEach(() => harness.dispose());

const outcomes = (): unknown[] | undefined =>
  harness
    .reports()
    .at(-1)
    ?.apps.map(({ name, version, status }) => `${status} ${name} ${version}`.trim());

describe("the verbs of a command", () => {
  it("are worked through in one order, whatever the order of the text", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage, "old.v1.tar.gz": goodPackage });
    harness.content.files.set("pump.v1.tar.gz", goodPackage);
    await harness.send({
      logs: [{ app: "pump", lines: 5 }],
      restart: ["pump"],
      start: ["meter"],
      install: [{ name: "pump.v1.tar.gz" }],
      stop: ["meter"],
      remove: ["old"],
      cancel: ["nothing"],
    });
    expect(outcomes()).toEqual([
      "failed nothing",
      "removed old 1",
      "stopped meter 1",
      "installed pump 1",
      "started meter 1",
      "restarted pump 1",
      "failed pump 1",
    ]);
    expect(harness.host.changes).toEqual(["stop meter", "start meter", "restart pump"]);
  });

  it("say so when there is no such app", async () => {
    await harness.send({
      remove: ["x"],
      stop: ["x"],
      rollback: ["x"],
      start: ["x"],
      restart: ["x"],
      logs: ["x"],
    });
    const apps = harness.reports().at(-1)?.apps ?? [];
    expect(apps).toHaveLength(6);
    for (const app of apps) {
      expect(app).toMatchObject({ status: "failed", output: expect.stringContaining('no app named "x"') });
    }
  });

  it("with wrong entries fail those alone", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    await harness.send({
      stop: [7, "meter"],
      restart: "meter",
      logs: [{ app: "meter", line: 3 }, { app: "meter", lines: 0 }, {}],
    });
    const report = harness.reports().at(-1);
    expect(report?.error).toBe('"restart" must be a list: ignored');
    expect(report?.apps.map(({ status, output }) => [status, output])).toEqual([
      ["failed", 'gwe: "stop" expects the name of an app\n'],
      ["stopped", ""],
      ["failed", expect.stringContaining('unknown key "line"')],
      ["failed", expect.stringContaining('"lines" must be a whole number')],
      ["failed", expect.stringContaining('"logs" expects')],
    ]);
  });
});

it("an app's name that is a path leads nowhere", async () => {
  const bystander = join(harness.home, "other/.unpacking-1");
  mkdirSync(bystander, { recursive: true });
  await harness.send({ remove: ["../other"], rollback: ["../other"], logs: ["../other"] });
  expect(
    harness
      .reports()
      .at(-1)
      ?.apps.map(({ status }) => status),
  ).toEqual(["failed", "failed", "failed"]);
  expect(existsSync(bystander)).toBe(true);
});

describe("remove", () => {
  const removable = (end: string): Buffer =>
    packageWith("#!/bin/sh\n", [
      goodSupervisorConf,
      { name: "pre-remove", mode: 0o755, content: `#!/bin/sh\necho bye $GWE_APP_VERSION; pwd\n${end}\n` },
    ]);

  it("runs pre-remove, withdraws the app and removes all its versions", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    await harness.install({ "meter.v2.tar.gz": removable("") });
    await harness.send({ remove: ["meter"] });
    expect(harness.reports().at(-1)?.apps).toMatchObject([
      { status: "removed", version: "2", exit_code: 0, output: `bye 2\n${join(harness.apps, "meter/2")}\n` },
    ]);
    expect(harness.host.installed("meter")).toBeUndefined();
    expect(existsSync(join(harness.apps, "meter"))).toBe(false);
  });

  it("is not held up by a pre-remove that fails, and says so", async () => {
    await harness.install({ "meter.v1.tar.gz": removable("exit 5") });
    await harness.send({ remove: ["meter"] });
    expect(harness.reports().at(-1)?.apps).toMatchObject([
      { status: "removed", exit_code: 5, output: expect.stringContaining("removed all the same") },
    ]);
    expect(harness.host.installed("meter")).toBeUndefined();
  });

  it("can be asked for on the gateway itself", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    expect(await harness.ota.removeApp("meter")).toMatchObject([{ status: "removed", version: "1" }]);
    expect(await harness.ota.removeApp("meter")).toMatchObject([{ status: "failed" }]);
  });
});

describe("rollback", () => {
  it("goes back to the version before, once, and forgets the one it came from", async () => {
    const noting = packageWith(`#!/bin/sh\necho "$GWE_APP_VERSION from $GWE_PREVIOUS_VERSION"\n`);
    await harness.install({ "meter.v1.tar.gz": noting });
    await harness.install({ "meter.v2.tar.gz": noting });
    await harness.send({ rollback: ["meter"] });
    expect(harness.reports().at(-1)?.apps).toMatchObject([
      {
        status: "rolled-back",
        version: "2",
        output: expect.stringMatching(
          /1 from 2\ngwe: asked to go back from version 2; version 1 is back: RUNNING/,
        ),
      },
    ]);
    expect(harness.host.installed("meter")?.version).toBe("1");
    expect(harness.versionsOf("meter")).toEqual(["1"]);
    await harness.send({ rollback: ["meter"] });
    expect(harness.reports().at(-1)?.apps).toMatchObject([
      { status: "failed", output: expect.stringContaining("no version of meter before 1 is kept") },
    ]);
    expect(harness.host.installed("meter")?.version).toBe("1");
  });
});

describe("logs", () => {
  it("tells the last lines, from before the last rotation too, without secrets", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    const log = join(harness.home, "meter.log");
    harness.host.logFile = log;
    writeFileSync(`${log}.1`, "a\nb\nc\n");
    writeFileSync(log, `d\n${secretCik}\n`);
    await harness.send({ logs: [{ app: "meter", lines: 4 }] });
    expect(harness.reports().at(-1)?.apps).toMatchObject([
      { status: "logs", output: `b\nc\nd\n[redacted]\ngwe: the last 4 lines of ${log}\n` },
    ]);
  });

  it("fits the report, however long the log, and begins with a whole line", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    harness.host.logFile = join(harness.home, "meter.log");
    writeFileSync(harness.host.logFile, "0123456789abcdef\n".repeat(20_000));
    await harness.send({ logs: [{ app: "meter", lines: 10_000 }] });
    const output = harness.reports().at(-1)?.apps[0]?.output ?? "";
    expect(output.length).toBeGreaterThan(50_000);
    expect(output).toMatch(/^0123456789abcdef\n/);
  });
});

describe("cancel", () => {
  const send = (command: unknown): void => {
    harness.ota.acknowledgeCleared(harness.ota.accept({ text: JSON.stringify(command) }).key);
  };

  it("ends a download that is under way, and what waits behind it goes on", async () => {
    harness.content.files.set("meter.v1.tar.gz", goodPackage);
    harness.content.files.set("pump.v1.tar.gz", goodPackage);
    const began = harness.content.hang();
    send({ id: "big", install: [{ name: "meter.v1.tar.gz" }] });
    await began;
    send({ id: "stop it", cancel: ["meter"], install: [{ name: "pump.v1.tar.gz" }] });
    await harness.ota.idle();
    expect(harness.reports().map(({ id, apps }) => [id, apps.map(({ status }) => status)])).toEqual([
      ["big", ["cancelled"]],
      ["stop it", ["cancelled", "installed"]],
    ]);
    expect(harness.reports()[0]?.apps[0]?.output).toBe("gwe: called off by command stop it\n");
    expect(harness.host.installed("meter")).toBeUndefined();
    expect(existsSync(join(harness.home, "packages/meter.v1.tar.gz.partial"))).toBe(false);
  });

  it("calls off all that waits of a command, by its id", async () => {
    harness.content.files.set("meter.v1.tar.gz", goodPackage);
    const { key } = harness.ota.accept({
      text: '{"id":"wrong","install":[{"name":"meter.v1.tar.gz"}],"stop":["meter"]}',
    });
    send({ cancel: ["wrong"] });
    harness.ota.acknowledgeCleared(key);
    await harness.ota.idle();
    expect(harness.reports().map(({ apps }) => apps.map(({ status }) => status))).toEqual([
      ["cancelled", "cancelled"],
      ["cancelled"],
    ]);
    expect(harness.content.requests).toEqual([]);
  });

  it("comes too late for an installer that runs", async () => {
    const mark = join(harness.home, "began");
    harness.content.files.set(
      "meter.v1.tar.gz",
      packageWith(`#!/bin/sh\ntouch ${mark}\nwhile [ ! -e ${mark}.end ]; do sleep 0.02; done\n`),
    );
    send({ id: "one", install: [{ name: "meter.v1.tar.gz" }] });
    await expect.poll(() => existsSync(mark)).toBe(true);
    send({ id: "two", cancel: ["meter"] });
    expect(harness.reports()[0]?.apps).toMatchObject([
      { status: "failed", output: "gwe: too late for what has begun: install meter 1\n" },
    ]);
    writeFileSync(`${mark}.end`, "");
    await harness.ota.idle();
    expect(harness.host.installed("meter")?.version).toBe("1");
  });
});

describe("the history", () => {
  it("shows past jobs, newest first, of one app where it is named", async () => {
    await harness.install({ "meter.v1.tar.gz": goodPackage });
    await harness.install({ "pump.v1.tar.gz": packageWith("#!/bin/sh\necho no\nexit 3\n") });
    await harness.send({ remove: ["meter"] });
    expect(harness.ota.history()).toMatchObject([
      { app: "meter", action: "remove", status: "removed", version: "1" },
      {
        app: "pump",
        action: "install",
        status: "failed",
        exitCode: 3,
        output: expect.stringContaining("no\n"),
      },
      { app: "meter", action: "install", status: "installed", finishedAtMs: expect.any(Number) },
    ]);
    expect(harness.ota.history("pump")).toHaveLength(1);
  });
});
