import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gateway } from "./gateway.ts";
import { oneOff } from "./packages.ts";

// One engine for all: what a command leaves behind is part of what the next one meets.
let gateway: Gateway;

beforeAll(async () => {
  gateway = await Gateway.running({ engineConfig: ["check_in = long-poll"] });
  for (const name of ["alpha", "beta", "gamma"]) {
    await gateway.upload(`${name}.v1.tar.gz`, oneOff(`echo run >> ${join(gateway.engine.home, name)}`));
  }
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

function runs(name: string): number {
  const file = join(gateway.engine.home, name);
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0;
}

const commandFor = (name: string): string => JSON.stringify({ install: [{ name: `${name}.v1.tar.gz` }] });

/** Writes a command without an id of its own, as operators do, and resolves when Murano was told of its end. */
async function run(text: string): Promise<void> {
  const before = (await gateway.results()).length;
  await gateway.write(text);
  await gateway.device.waitForValue("fetch_status");
  await expect.poll(async () => (await gateway.results()).length).toBe(before + 1);
}

test("under check_in = long-poll a command starts within a second of being written", async () => {
  const { murano } = gateway;
  const delaysMs: number[] = [];
  for (let round = 0; round < 3; round++) {
    await murano.waitForOpenRequest({ procedure: "long-poll" });
    const after = murano.cursor;
    const writtenAtMs = Date.now();
    const id = await gateway.order("alpha.v1.tar.gz");
    const download = await murano.waitForRequest({ procedure: "download", after });
    delaysMs.push(download.timeMs - writtenAtMs);
    expect((await gateway.result(id)).apps).toMatchObject([{ status: "installed" }]);
  }
  expect(runs("alpha")).toBe(3);
  // The machine may be late with some of them.
  expect(Math.min(...delaysMs)).toBeLessThan(1_000);
});

test("the same text is a new command once the first was cleared", async () => {
  const before = runs("beta");
  await run(commandFor("beta"));
  await run(commandFor("beta"));
  expect(runs("beta")).toBe(before + 2);
});

test("a command that the clearing of another overwrites is not lost", async () => {
  const { murano, device } = gateway;
  const [alpha, beta] = [runs("alpha"), runs("beta")];
  const told = (await gateway.results()).length;
  // The clearing stands still on its way, so that the second command comes before it.
  murano.addFault({ match: { procedure: "write" }, latencyMs: 300, count: 1 });
  await gateway.write(commandFor("alpha"));
  await murano.waitForOpenRequest({ procedure: "write" });
  await gateway.write(commandFor("beta"));
  await expect.poll(async () => (await gateway.results()).length).toBe(told + 2);
  expect(await device.latest("engine_fetch")).toBe("");
  expect([runs("alpha"), runs("beta")]).toEqual([alpha + 1, beta + 1]);
});

test("a command written while the gateway is away runs when it comes back", async () => {
  const { engine, device } = gateway;
  const before = runs("gamma");
  await engine.end("SIGTERM");
  const id = await gateway.order("gamma.v1.tar.gz");
  await gateway.start();
  expect((await gateway.result(id)).apps).toMatchObject([{ name: "gamma", status: "installed" }]);
  expect(await device.latest("engine_fetch")).toBe("");
  expect(runs("gamma")).toBe(before + 1);
});

test("a clearing whose answer is lost does not run the command twice", async () => {
  const { murano } = gateway;
  const before = runs("gamma");
  murano.addFault({ match: { procedure: "write" }, drop: "after", count: 1 });
  const after = murano.cursor;
  const id = await gateway.order("gamma.v1.tar.gz");
  await murano.waitForRequest({ procedure: "write", wrote: "engine_fetch", after });
  await gateway.checkIn();
  expect((await gateway.result(id)).apps).toMatchObject([{ name: "gamma", status: "installed" }]);
  expect(runs("gamma")).toBe(before + 1);
});

test("a clearing that never arrives is tried again, and the command runs once", async () => {
  const { murano, device } = gateway;
  const before = runs("alpha");
  murano.addFault({ match: { procedure: "write" }, drop: "before", count: 1 });
  const after = murano.cursor;
  const id = await gateway.order("alpha.v1.tar.gz");
  await murano.waitForRequest({ procedure: "write", after });
  await gateway.checkIn();
  expect((await gateway.result(id)).apps).toMatchObject([{ name: "alpha", status: "installed" }]);
  expect(await device.latest("engine_fetch")).toBe("");
  expect(runs("alpha")).toBe(before + 1);
});

test("all reports come when they are asked for", async () => {
  const { murano, device } = gateway;
  const before = (await device.history("device_info")).length;
  const after = murano.cursor;
  await gateway.write('{"report":true}');
  await murano.waitForRequest({ wrote: "device_info", after });
  expect((await device.history("device_info")).length).toBe(before + 1);
});

test("a long poll that fails is taken up again: broken connections, errors, a Murano that was away", async () => {
  const { murano } = gateway;
  const before = runs("beta");
  await murano.waitForOpenRequest({ procedure: "long-poll" });
  murano.addFault({ match: { procedure: "long-poll" }, status: 500, count: 1 });
  let after = murano.cursor;
  await murano.goOffline();
  await murano.goOnline();
  await murano.waitForRequest({ procedure: "long-poll", status: 500, after });
  after = murano.cursor;
  const id = await gateway.order("beta.v1.tar.gz");
  expect((await gateway.result(id)).apps).toMatchObject([{ name: "beta", status: "installed" }]);
  expect(runs("beta")).toBe(before + 1);
  // It was the poll that brought it, not a check-in.
  expect(murano.requests({ procedure: "long-poll", status: 200, after })).not.toHaveLength(0);
});
