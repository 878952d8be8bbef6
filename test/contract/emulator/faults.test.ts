import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { DeviceSide } from "../../support/emulator-device-side.ts";

let emulator: TestEmulator;
let side: DeviceSide;
const alias = "/onep:v1/stack/alias";
const download = "/provision/download?vendor=gw&model=gw&id=blob";
const blob = "x".repeat(100_000);

beforeAll(async () => {
  emulator = await startTestEmulator();
  const { cik } = await emulator.addActivated("gw", "1");
  side = new DeviceSide(emulator.url, cik);
  await emulator.addContent("gw", "blob", blob);
});
afterAll(() => emulator.close());
afterEach(() => emulator.clearFaults());

const admin = (method: string, path: string, body?: unknown, token = emulator.token) =>
  fetch(`${emulator.url}/_emulator/${path}`, {
    method,
    headers: { "X-Exosite-Token": token },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

/** What arrives of an answer when its connection breaks. */
async function bodyUntilCut(response: Response): Promise<number> {
  let length = 0;
  try {
    for await (const chunk of response.body ?? []) length += chunk.length;
  } catch {
    return length;
  }
  return Number.NaN;
}

describe("effects", () => {
  test("a status with headers and body of one's choice, so many times", async () => {
    const body = "<html>not what you expect";
    emulator.addFault({ status: 429, headers: { "Retry-After": "7" }, body, count: 2 });
    for (const _ of [1, 2]) {
      const response = await side.get(`${alias}?x`);
      expect([response.status, response.headers.get("retry-after")]).toEqual([429, "7"]);
      expect(await response.text()).toBe(body);
    }
    expect((await side.get(`${alias}?x`)).status).toBe(204);
  });

  test("a status before processing leaves no trace; after it, the write has happened", async () => {
    emulator.addFault({ match: { procedure: "write" }, status: 503, count: 1 });
    expect((await side.post(alias, "before=1")).status).toBe(503);
    emulator.addFault({ match: { procedure: "write" }, status: 503, statusWhen: "after", count: 1 });
    expect((await side.post(alias, "after=1")).status).toBe(503);
    const device = emulator.device("gw", "1");
    expect([await device.latest("before"), await device.latest("after")]).toEqual([undefined, "1"]);
  });

  test("a dropped connection, before and after processing", async () => {
    emulator.addFault({ drop: "before", count: 1 });
    await expect(side.post(alias, "unwritten=1")).rejects.toThrow();
    emulator.addFault({ drop: "after", count: 1 });
    await expect(side.post(alias, "written=1")).rejects.toThrow();
    const device = emulator.device("gw", "1");
    expect([await device.latest("unwritten"), await device.latest("written")]).toEqual([undefined, "1"]);
  });

  test("an activation whose answer is lost has happened all the same", async () => {
    const device = await emulator.addSerial("gw", "lost");
    emulator.addFault({ match: { procedure: "activate", device: "lost" }, drop: "after", count: 1 });
    const body = new URLSearchParams({ vendor: "gw", model: "gw", sn: "lost" });
    await expect(fetch(`${emulator.url}/provision/activate`, { method: "POST", body })).rejects.toThrow();
    expect(await device.status()).toBe("activated");
  });

  test("a body is cut after so many bytes", async () => {
    emulator.addFault({ match: { procedure: "download" }, cutAfterBytes: 70_001, count: 1 });
    const response = await side.get(download);
    expect([response.status, response.headers.get("content-length")]).toEqual([200, "100000"]);
    expect(await bodyUntilCut(response)).toBe(70_001);
    expect(await (await side.get(download)).text()).toBe(blob);
  });

  test("a body trickles at so many bytes per second", async () => {
    emulator.addFault({ bytesPerSecond: 400_000 });
    const startedAt = performance.now();
    expect(await (await side.get(download)).text()).toBe(blob);
    expect(performance.now() - startedAt).toBeGreaterThan(200);
  });

  test("latency delays the answer", async () => {
    emulator.addFault({ latencyMs: 120 });
    const startedAt = performance.now();
    await side.get(`${alias}?x`);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(115);
  });

  test("effects combine", async () => {
    emulator.addFault({ match: { procedure: "download" }, latencyMs: 50, cutAfterBytes: 10 });
    const startedAt = performance.now();
    expect(await bodyUntilCut(await side.get(download))).toBe(10);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(45);
  });
});

describe("matching", () => {
  test("by procedure, method, path, device and product", async () => {
    const { cik } = await emulator.addActivated("other", "2");
    const stranger = new DeviceSide(emulator.url, cik);
    const statuses = async () => [
      (await side.get(`${alias}?x`)).status,
      (await stranger.get(`${alias}?x`)).status,
      (await side.post(alias, "m=1")).status,
      (await fetch(`${emulator.url}/timestamp`)).status,
    ];
    const only = async (match: object) => {
      emulator.clearFaults();
      emulator.addFault({ match, status: 500 });
      return statuses();
    };
    expect(await only({ procedure: "read" })).toEqual([500, 500, 204, 200]);
    expect(await only({ method: "post" })).toEqual([204, 204, 500, 200]);
    expect(await only({ path: "/time*" })).toEqual([204, 204, 204, 500]);
    expect(await only({ path: "/onep:v1/*" })).toEqual([500, 500, 500, 200]);
    expect(await only({ device: "2" })).toEqual([204, 500, 204, 200]);
    expect(await only({ product: "gw" })).toEqual([500, 204, 500, 200]);
    expect(await only({ device: "1", method: "GET" })).toEqual([500, 204, 204, 200]);
  });

  test("skip lets some pass first", async () => {
    emulator.addFault({ skip: 2, count: 1, status: 500 });
    const statuses = [];
    for (const _ of [1, 2, 3, 4]) statuses.push((await side.get(`${alias}?x`)).status);
    expect(statuses).toEqual([204, 204, 500, 204]);
  });

  test("chance follows the seed", async () => {
    const draw = async (faultSeed: number) => {
      await using seeded = await startTestEmulator({ faultSeed });
      seeded.addFault({ match: { path: "/timestamp" }, status: 500, probability: 0.5 });
      const statuses = [];
      for (let n = 0; n < 24; n++) statuses.push((await fetch(`${seeded.url}/timestamp`)).status);
      return statuses.join(" ");
    };
    const [one, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(one).toBe(again);
    expect(one).not.toBe(other);
    expect(one).toMatch(/200.*500|500.*200/);
  });
});

describe("admin endpoint", () => {
  test("faults are added, listed with what they did, and removed", async () => {
    const added = await admin("POST", "faults", [{ id: "a", status: 500, count: 5 }, { latencyMs: 1 }]);
    const { ids } = (await added.json()) as { ids: string[] };
    expect(ids[0]).toBe("a");
    expect((await side.get(`${alias}?x`)).status).toBe(500);
    const { faults } = (await (await admin("GET", "faults")).json()) as { faults: object[] };
    expect(faults).toEqual([
      { id: "a", status: 500, count: 5, struck: 1 },
      { id: ids[1], latencyMs: 1, struck: 1 },
    ]);
    expect((await admin("DELETE", "faults/a")).status).toBe(200);
    expect((await admin("DELETE", "faults/a")).status).toBe(404);
    expect((await side.get(`${alias}?x`)).status).toBe(204);
    await admin("DELETE", "faults");
    expect(emulator.emulator.faults.list()).toEqual([]);
  });

  test("is for the owner, refuses what it does not know, and is never struck itself", async () => {
    expect((await admin("GET", "faults", undefined, "wrong")).status).toBe(401);
    const response = await admin("POST", "faults", { stauts: 500 });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("stauts");
    emulator.addFault({ status: 500 });
    expect((await admin("GET", "faults")).status).toBe(200);
  });

  test("the server's clock is set, Date included", async () => {
    expect((await admin("PUT", "clock", { offsetS: 3600 })).status).toBe(200);
    const response = await fetch(`${emulator.url}/timestamp`);
    const ahead = (seconds: number) => Math.abs(seconds - 3600 - Date.now() / 1000);
    expect(ahead(Number(await response.text()))).toBeLessThan(60);
    expect(ahead(Date.parse(response.headers.get("date") ?? "") / 1000)).toBeLessThan(60);
    await admin("PUT", "clock", { offsetS: 0 });
  });

  test("offline for a while: connections end, new ones are refused, then all is as before", async () => {
    const port = Number(new URL(emulator.url).port);
    // On a busy machine a short while may be over before anybody has looked.
    for (let forMs = 300; ; forMs *= 3) {
      const idle = connect(port, "127.0.0.1");
      await new Promise((resolve) => idle.once("connect", resolve));
      const ended = new Promise((resolve) => idle.once("close", resolve));
      idle.on("error", () => undefined);
      expect((await admin("POST", "offline", { forMs })).status).toBe(200);
      await ended;
      const isRefused = await side.get(`${alias}?x`).then(
        () => false,
        () => true,
      );
      if (isRefused) break;
      expect(forMs).toBeLessThan(10_000);
    }
    await expect
      .poll(() =>
        side.get(`${alias}?x`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(204);
  });
});

describe("request log", () => {
  const requests = async (query: string) => {
    const response = await admin("GET", `requests?${query}`);
    return (await response.json()) as { entries: Record<string, unknown>[]; cursor: number };
  };

  test("says what was asked and answered, and nothing secret", async () => {
    const after = emulator.cursor;
    await side.post(`${alias}?engine_fetch`, "engine_report=s3cret");
    await fetch(`${emulator.url}/timestamp?cik=${side.cik}`);
    const { entries, cursor } = await requests(`after=${after}`);
    expect(entries).toEqual([
      {
        n: after + 1,
        timeMs: expect.any(Number),
        durationMs: expect.any(Number),
        method: "POST",
        path: `${alias}?engine_fetch`,
        procedure: "write-read",
        product: "gw",
        device: "1",
        status: 204,
        wrote: ["engine_report"],
        requestBytes: 20,
        responseBytes: expect.any(Number),
        faults: [],
      },
      expect.objectContaining({ procedure: "timestamp", device: null, path: "/timestamp?cik=[redacted]" }),
    ]);
    expect(cursor).toBe(after + 2);
    expect(JSON.stringify(entries)).not.toMatch(new RegExp(`${side.cik}|s3cret`));
  });

  test("waits for what is to come", async () => {
    const after = emulator.cursor;
    const pending = requests(`after=${after}&procedure=write&wrote=awaited&waitMs=10000`);
    await side.post(alias, "unrelated=1");
    await side.post(alias, "awaited=1");
    expect((await pending).entries).toHaveLength(1);
    expect((await requests(`after=${after}&status=599&waitMs=20`)).entries).toEqual([]);
  });

  test("names the faults that struck, and 0 for no answer", async () => {
    const after = emulator.cursor;
    emulator.addFault({ id: "gone", drop: "before", count: 1 });
    await side.get(`${alias}?x`).catch(() => undefined);
    const entry = await emulator.waitForRequest({ after });
    expect(entry).toMatchObject({ status: 0, faults: ["gone"] });
  });

  test("forgets the oldest", async () => {
    await using small = await startTestEmulator({ requestLogLimit: 3 });
    for (let n = 0; n < 8; n++) await fetch(`${small.url}/timestamp`);
    expect(small.requests().map(({ n }) => n)).toEqual([6, 7, 8]);
  });
});
