import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../../support/engine-process.ts";
import { Gateway } from "./gateway.ts";
import { aliveOf, longRunning } from "./packages.ts";

let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.running();
  await gateway.upload("meter.v1.tar.gz", longRunning(gateway.engine, "meter", "1"));
  await gateway.upload("idle.v1.tar.gz", longRunning(gateway.engine, "idle", "1"));
  await gateway.install("meter.v1.tar.gz", "idle.v1.tar.gz");
  await gateway.engine.running("meter", "1");
  await gateway.gwe("stop", "idle");
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

test("a hand-edited configuration with bad values: status 255, and each named with what is allowed", async () => {
  const { engine } = gateway;
  const { engineConfig, gatewayCfg } = engine.paths;
  const [before, device] = [readFileSync(engineConfig, "utf8"), readFileSync(gatewayCfg, "utf8")];
  const [app] = aliveOf(engine, "meter");
  await engine.end("SIGTERM");
  appendFileSync(engineConfig, "check_in = sometimes\ninstaller_timeout = -1\n");
  appendFileSync(gatewayCfg, "activation_retry_interval = soon\n");
  const { status, stderr } = await gateway.gwe();
  expect(status).toBe(255);
  expect(stderr).toMatch(new RegExp(`${engineConfig}.*check_in.*sometimes.*one of interval, long-poll`));
  expect(stderr).toMatch(
    new RegExp(`${engineConfig}.*installer_timeout.*-1.*whole number of seconds from 1 to 86400`),
  );
  expect(stderr).toMatch(
    new RegExp(`${gatewayCfg}.*activation_retry_interval.*soon.*whole number of seconds`),
  );
  writeFileSync(engineConfig, before);
  writeFileSync(gatewayCfg, device);
  await gateway.start();
  expect(aliveOf(engine, "meter")).toEqual([app]);
});

test("a corrupt gateway.db is set aside and reported; the engine lives, and its apps are not stopped", async () => {
  const { engine } = gateway;
  const [app] = aliveOf(engine, "meter");
  await engine.end("SIGTERM");
  writeFileSync(engine.paths.gatewayDb, Buffer.alloc(32 * 1024, "garbage"));
  await gateway.start();
  const report = await eventually("a report", async () =>
    (await gateway.results()).find((value) => JSON.stringify(value).includes("corrupt")),
  );
  expect((report as { error?: string }).error).toMatch(
    /database was damaged.*gateway\.db\.corrupt-\d+.*apps known from a copy: idle 1, meter 1/,
  );
  expect(
    readdirSync(engine.paths.libDir).filter((name) => /^gateway\.db\.corrupt-\d+$/.test(name)),
  ).toHaveLength(1);
  expect(aliveOf(engine, "meter")).toEqual([app]);
  expect(await engine.app("meter")).toMatchObject({ state: "RUNNING", version: "1" });
  expect(await engine.app("idle")).toMatchObject({ state: "STOPPED" });
});

test("after that, orders are worked through as ever", async () => {
  const { engine } = gateway;
  await gateway.upload("meter.v2.tar.gz", longRunning(engine, "meter", "2"));
  expect(await gateway.install("meter.v2.tar.gz")).toMatchObject([{ name: "meter", status: "installed" }]);
  await engine.running("meter", "2");
  expect(aliveOf(engine, "meter")).toMatchObject([{ version: "2" }]);
});
