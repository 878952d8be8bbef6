import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { eventually } from "../../support/engine-process.ts";
import { Gateway } from "./gateway.ts";
import { longRunning, oneOff, runsOf } from "./packages.ts";

let gateway: Gateway;

afterEach(() => gateway[Symbol.asyncDispose]());

test("a gateway activates once its owner lets it, installs what it is told to, and reports it", async () => {
  gateway = await Gateway.create({ enabled: false, deviceConfig: ["activation_retry_interval = 1"] });
  const { engine, murano, device } = gateway;
  engine.start();
  await murano.waitForRequests({ procedure: "activate", status: 409 }, 3);
  expect(await engine.status()).toMatchObject({ device: { activated: false } });
  expect((await engine.status())?.checkIn.lastError).toContain("activation failed");
  await device.enable();
  await device.waitForValue("engine_report");
  expect(await device.status()).toBe("activated");
  expect(await engine.status()).toMatchObject({ device: { activated: true, serial: "GW-0001" } });
  expect(Object.keys(JSON.parse(await device.waitForValue("device_info")) as object)).toEqual(
    expect.arrayContaining(["uname", "df", "free", "ipaddrs"]),
  );

  await gateway.upload("meter.v1.tar.gz", longRunning(engine, "meter", "1"));
  await gateway.upload("note.v7.tar.gz", oneOff(`echo "noted by $GWE_APP_NAME" | tee ${engine.home}/note`));
  const apps = await gateway.install("meter.v1.tar.gz", "note.v7.tar.gz");
  expect(apps).toMatchObject([
    { name: "meter", version: "1", status: "installed", exit_code: 0, output: "installing meter 1\n" },
    { name: "note", version: "7", status: "installed", exit_code: 0, output: "noted by note\n" },
  ]);
  expect(await device.latest("engine_fetch")).toBe("");
  expect(readFileSync(join(engine.home, "note"), "utf8")).toBe("noted by note\n");
  const meter = await engine.running("meter", "1");
  expect(runsOf(engine, "meter")).toMatchObject([{ version: "1", pid: meter.pid }]);
  // The report that came with the result tells of it already.
  expect(await gateway.reported("meter")).toMatchObject({ status: "RUNNING", version: "1" });
  expect(await gateway.reported("gwe")).toMatchObject({ status: "RUNNING" });

  await gateway.upload("meter.v2.tar.gz", longRunning(engine, "meter", "2"));
  expect(await gateway.install("meter.v2.tar.gz")).toMatchObject([{ name: "meter", status: "installed" }]);
  expect(await gateway.reported("meter")).toMatchObject({ status: "RUNNING", version: "2" });
  expect(runsOf(engine, "meter")).toMatchObject([{ version: "1" }, { version: "2" }]);
  expect(existsSync(`/proc/${meter.pid}`)).toBe(false);
});

test("update_interval is applied, kept in Engine.config and cleared; a bad one is reported", async () => {
  gateway = await Gateway.running();
  const { device, engine, murano } = gateway;
  await device.write("update_interval", "7200");
  await gateway.checkIn();
  await device.waitForValue("update_interval", (value) => value === "");
  expect((await engine.status())?.checkIn.intervalS).toBe(7200);
  expect(readFileSync(engine.paths.engineConfig, "utf8")).toMatch(/^update_interval = 7200$/m);

  // Not a number, below the range, and more than the configuration could hold.
  const bad = ["soon", "0", "1.5", "3000000"];
  for (const value of bad) {
    await device.write("update_interval", value);
    await gateway.checkIn();
    await device.waitForValue("update_interval", (now) => now === "");
  }
  const refusals = await eventually("a refusal of each", async () => {
    const reports = await gateway.results();
    return reports.length >= bad.length ? reports.map(({ error }) => error) : undefined;
  });
  expect(refusals).toEqual(
    bad.map((value) => `update_interval "${value}" is refused: expected whole seconds from 1 to 2147483`),
  );
  expect((await engine.status())?.checkIn.intervalS).toBe(7200);

  await engine.end("SIGTERM");
  await gateway.start();
  expect((await engine.status())?.checkIn.intervalS).toBe(7200);
  // Down to one second: the next check-in comes by itself.
  await device.write("update_interval", "1");
  await gateway.checkIn();
  await device.waitForValue("update_interval", (value) => value === "");
  const after = murano.cursor;
  await murano.waitForRequests({ procedure: "write-read", after }, 2);
});

test("a CIK that the owner voided is replaced within the same check-in", async () => {
  gateway = await Gateway.running();
  const { device, murano } = gateway;
  const old = gateway.cik;
  await device.enable();
  const after = murano.cursor;
  await gateway.checkIn();
  await gateway.checkedIn(after);
  expect(murano.requests({ after }).map(({ procedure, status }) => `${procedure} ${status}`)).toEqual([
    "write-read 401",
    "activate 200",
    "write-read 204",
  ]);
  expect(gateway.cik).not.toBe(old);
});

test("a false 401 does not orphan the gateway: its CIK is kept and works again", async () => {
  gateway = await Gateway.running();
  const { murano } = gateway;
  const old = gateway.cik;
  murano.addFault({ match: { procedure: "write-read" }, status: 401, count: 1 });
  const after = murano.cursor;
  await gateway.checkIn();
  await murano.waitForRequest({ procedure: "activate", status: 409, after });
  await gateway.checkIn();
  await gateway.checkedIn(after);
  expect(gateway.cik).toBe(old);
});
