import { createCipheriv } from "node:crypto";
import { readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Fault } from "../../../src/emulator/faults/fault.ts";
import { eventually } from "../../support/engine-process.ts";
import { packageWith } from "../../support/ota-archives.ts";
import { Gateway } from "./gateway.ts";
import { longRunning } from "./packages.ts";

// One engine through all the weathers. `gwe check-in` does not wait out a backoff; one test of each kind does.
let gateway: Gateway;
let enginePid: number | undefined;
let meterPid: number;
let packages = 0;

beforeAll(async () => {
  gateway = await Gateway.running();
  await gateway.upload("meter.v1.tar.gz", longRunning(gateway.engine, "meter", "1"));
  await gateway.install("meter.v1.tar.gz");
  meterPid = (await gateway.engine.running("meter", "1")).pid;
  enginePid = gateway.engine.pid;
});

beforeEach(() => {
  packages += 1;
});

afterEach(async () => {
  gateway.murano.clearFaults();
  const { engine } = gateway;
  expect(engine.pid).toBe(enginePid);
  expect(await engine.running("meter")).toMatchObject({ pid: meterPid, version: "1", restarts: 0 });
  expect(readdirSync(engine.paths.packagesDir)).toEqual([]);
  expect(await engine.status()).toMatchObject({ jobs: [], outbox: { waiting: 0 } });
});

afterAll(() => gateway?.[Symbol.asyncDispose]());

/** Uploads a one-off package of its own; resolves to its name. */
async function onePackage(paddingBytes = 0): Promise<string> {
  const name = `tool${packages}.v1.tar.gz`;
  // A key stream of zeros: nothing to be compressed.
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  const padding = { name: "padding", content: cipher.update(Buffer.alloc(paddingBytes)) };
  await gateway.upload(name, packageWith("#!/bin/sh\necho done\n", [padding]));
  return name;
}

async function expectInstalled(id: string): Promise<void> {
  const { apps } = await gateway.result(id);
  expect(apps).toMatchObject([{ status: "installed", output: "done\n" }]);
}

/** Why the last check-in failed; undefined after one that succeeded. */
async function lastError(): Promise<string | undefined> {
  return (await gateway.engine.status())?.checkIn.lastError ?? undefined;
}

interface CheckInTrouble {
  readonly what: string;
  readonly fault: Omit<Fault, "match" | "count">;
  /** What `gwe status` says of it. */
  readonly said: RegExp;
}

const checkInTrouble: readonly CheckInTrouble[] = [
  { what: "401, and activation 409", fault: { status: 401 }, said: /401/ },
  { what: "403", fault: { status: 403 }, said: /403/ },
  { what: "404", fault: { status: 404 }, said: /404/ },
  { what: "409", fault: { status: 409 }, said: /409/ },
  { what: "429", fault: { status: 429, headers: { "Retry-After": "120" } }, said: /429/ },
  { what: "500", fault: { status: 500, body: "<h1>Oops</h1>" }, said: /500/ },
  {
    what: "a captive portal's page",
    fault: { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>Log in</html>" },
    said: /an answer that is not Murano's \(200\): a web page/,
  },
  { what: "a connection that breaks", fault: { drop: "before" }, said: /check-in failed: (?!.*Murano's)/ },
];

describe("in a check-in", () => {
  test("a result outlives whatever Murano answers, and is told once", async () => {
    const { murano } = gateway;
    const match = { procedure: "write-read" };
    const id = await gateway.order(await onePackage());
    // The first check-in brings the order; the ones that tell its result are struck, each by another trouble.
    for (const [n, { what, fault }] of checkInTrouble.entries()) {
      murano.addFault({ ...fault, id: what, match, skip: n + 1, count: 1 });
    }
    await gateway.checkIn();
    for (const { what, said } of checkInTrouble) {
      const struck = await eventually(what, () =>
        murano.requests(match).find(({ faults }) => faults.includes(what)),
      );
      expect(await eventually(`the error of ${what}`, lastError)).toMatch(said);
      // Nothing of the backoff, nor of what Retry-After asks for, was over by itself.
      expect(murano.requests({ ...match, after: struck.n })).toEqual([]);
      await gateway.checkIn();
    }
    await expectInstalled(id);
    expect((await gateway.results()).filter((report) => report.id === id)).toHaveLength(1);
    await eventually("a check-in that succeeds", async () => (await lastError()) === undefined);
  });

  test("an order that is cut is taken when it comes whole", async () => {
    const { murano } = gateway;
    const id = await gateway.order(await onePackage());
    murano.addFault({ match: { procedure: "write-read" }, cutAfterBytes: 30, count: 1 });
    await gateway.checkIn();
    await eventually("an error", lastError);
    await gateway.checkIn();
    await expectInstalled(id);
  });

  test("a result whose acknowledgement is lost is told again, never left out", async () => {
    const { murano } = gateway;
    const id = await gateway.order(await onePackage());
    murano.addFault({ match: { procedure: "write-read" }, drop: "after", skip: 1, count: 1 });
    await gateway.checkIn();
    await expectInstalled(id);
    await eventually("an error", lastError);
    await gateway.checkIn();
    await eventually("an empty outbox", async () => (await gateway.engine.status())?.outbox.waiting === 0);
    expect((await gateway.results()).filter((report) => report.id === id)).toHaveLength(2);
  });

  test("a Murano that is away is waited for, and found again without anyone's doing", async () => {
    const { murano } = gateway;
    const id = await gateway.order(await onePackage());
    await murano.goOffline();
    await gateway.checkIn();
    expect(await eventually("an error", lastError)).toMatch(/ECONNREFUSED/);
    await murano.goOnline();
    // The first backoff: half random, 5 s at most.
    await expectInstalled(id);
  });

  test("a slow Murano is slow, no more", async () => {
    const { murano } = gateway;
    const id = await gateway.order(await onePackage());
    murano.addFault({ latencyMs: 150, bytesPerSecond: 20_000 });
    await gateway.checkIn();
    await expectInstalled(id);
    expect(await lastError()).toBeUndefined();
  });
});

describe("in a download", () => {
  const match = { path: "/provision/download" };

  test("what passes by itself is tried again until the package is there", async () => {
    const { murano } = gateway;
    const trouble: readonly Omit<Fault, "match">[] = [
      { status: 500 },
      { status: 429, headers: { "Retry-After": "1" } },
      { status: 401 },
      { status: 200, headers: { "Content-Type": "text/html" }, body: "<html>Log in</html>" },
      { drop: "before" },
    ];
    const names: string[] = [];
    for (const [n, fault] of trouble.entries()) {
      packages += 1;
      names.push(await onePackage());
      // Each package takes three requests: the one that is struck, then info and content.
      murano.addFault({ ...fault, match, skip: 3 * n, count: 1 });
    }
    packages += 1;
    names.push(await onePackage(3_000));
    murano.addFault({ match, cutAfterBytes: 100, skip: 3 * trouble.length + 1, count: 1 });
    const apps = await gateway.install(...names);
    expect(apps.map(({ status, output }) => [status, output])).toEqual(
      names.map(() => ["installed", "done\n"]),
    );
  });

  test("a CIK that is voided meanwhile is replaced within the same request", async () => {
    const { murano, device } = gateway;
    const old = gateway.cik;
    murano.addFault({ match, latencyMs: 300, count: 1 });
    const id = await gateway.order(await onePackage());
    const after = murano.cursor;
    await gateway.checkIn();
    await murano.waitForOpenRequest(match);
    await device.enable();
    await expectInstalled(id);
    const statuses = (procedure: string) => murano.requests({ procedure, after }).map(({ status }) => status);
    // The last one tells that the content was not replaced meanwhile.
    expect(statuses("content-info")).toEqual([401, 200, 200]);
    expect(statuses("download")).toEqual([200]);
    // A check-in may have met the same 401 meanwhile: a second activation would void the first one's CIK.
    expect(statuses("activate")).toEqual([200]);
    expect(gateway.cik).not.toBe(old);
  });

  test("a Murano that goes away in the middle is waited for", async () => {
    const { murano, engine } = gateway;
    const id = await gateway.order(await onePackage(20_000));
    murano.addFault({ id: "trickle", match, bytesPerSecond: 4_000 });
    await gateway.checkIn();
    await eventually("half a download", async () =>
      (await engine.status())?.jobs.some(({ receivedBytes = 0 }) => receivedBytes > 2_000),
    );
    await murano.goOffline();
    murano.removeFault("trickle");
    await murano.goOnline();
    await gateway.checkIn();
    await expectInstalled(id);
  });

  test("content that is not for this gateway fails with a reason", async () => {
    const name = await onePackage();
    await gateway.murano.removeContent("e2e-product", name);
    await gateway.murano.addContent("e2e-product", name, "x", { protected: true });
    const [app] = await gateway.install(name);
    expect(app).toMatchObject({ status: "failed", exit_code: null });
    expect(app?.output).toContain(`Murano does not let this gateway have the content "${name}" (403)`);
  });
});
