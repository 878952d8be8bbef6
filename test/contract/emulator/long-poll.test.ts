import { afterAll, beforeAll, expect, test } from "vitest";
import { type EmulatedDevice, startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { DeviceSide } from "../../support/emulator-device-side.ts";

let emulator: TestEmulator;
let serial = 0;

beforeAll(async () => {
  emulator = await startTestEmulator();
});
afterAll(() => emulator.close());

const path = "/onep:v1/stack/alias?engine_fetch";

async function newDevice(): Promise<{ side: DeviceSide; owner: EmulatedDevice }> {
  serial += 1;
  const { device, cik } = await emulator.addActivated("gw", `sn-${serial}`);
  return { side: new DeviceSide(emulator.url, cik), owner: device };
}

function poll(side: DeviceSide, timeoutMs: number, since?: string): Promise<Response> {
  return side.get(path, {
    "Request-Timeout": String(timeoutMs),
    ...(since !== undefined && { "If-Modified-Since": since }),
  });
}

test("nothing new before the time-out is 304", async () => {
  const { side, owner } = await newDevice();
  await owner.write("engine_fetch", "old");
  const response = await poll(side, 60);
  expect([response.status, await response.text()]).toEqual([304, ""]);
});

test("a write by the owner wakes the poll at once", async () => {
  const { side, owner } = await newDevice();
  await owner.write("engine_fetch", "before");
  const delaysMs: number[] = [];
  for (let round = 0; round < 3; round++) {
    const pending = poll(side, 60_000);
    await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
    const writtenAt = performance.now();
    const [response] = await Promise.all([pending, owner.write("engine_fetch", "new&value")]);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe("engine_fetch=new%26value");
    delaysMs.push(performance.now() - writtenAt);
  }
  // Two round trips on loopback, far below any polling interval. The machine may be late with some of them.
  expect(Math.min(...delaysMs)).toBeLessThan(1_000);
});

test("the first write ever to an alias wakes the poll too", async () => {
  const { side, owner } = await newDevice();
  const pending = side.get("/onep:v1/stack/alias?brand_new", { "Request-Timeout": "60000" });
  await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
  await side.post("/onep:v1/stack/record", "alias=brand_new&1700000000=x");
  expect(await (await pending).text()).toBe("brand_new=x");
});

test("Last-Modified passed back misses no value, however fast they are written", async () => {
  const { side, owner } = await newDevice();
  const first = poll(side, 60_000);
  await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
  await owner.write("engine_fetch", "0");
  const seen: string[] = [];
  let response = await first;
  await Promise.all([1, 2, 3].map((n) => owner.write("engine_fetch", String(n))));
  while (response.status === 200) {
    seen.push((await response.text()).replace("engine_fetch=", ""));
    response = await poll(side, 50, response.headers.get("last-modified") ?? "");
  }
  expect(response.status).toBe(304);
  expect(seen[0]).toBe("0");
  expect([...seen].sort()).toEqual(["0", "1", "2", "3"]);
  expect(seen).toEqual((await owner.history("engine_fetch")).map(([, value]) => value));
});

test("If-Modified-Since may be unix seconds or an HTTP-date", async () => {
  const { side, owner } = await newDevice();
  await owner.write("engine_fetch", "now");
  const [[ts] = [0]] = await owner.history("engine_fetch");
  for (const since of [String(ts - 1), new Date((ts - 1) * 1000).toUTCString()]) {
    const response = await poll(side, 10_000, since);
    expect(response.status).toBe(200);
    expect(response.headers.get("last-modified")).toBe(new Date(ts * 1000).toUTCString());
  }
  expect((await poll(side, 50, String(ts))).status).toBe(304);
});

test("a clock of the device's that is far ahead does not make it deaf", async () => {
  const { side, owner } = await newDevice();
  await owner.write("engine_fetch", "old");
  const pending = poll(side, 60_000, "4000000000");
  await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
  await owner.write("engine_fetch", "new");
  expect(await (await pending).text()).toBe("engine_fetch=new");
});

test("a poll whose CIK becomes void ends with 401", async () => {
  const { side, owner } = await newDevice();
  const pending = poll(side, 60_000);
  await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
  await owner.disable();
  expect((await pending).status).toBe(401);
});

test("a client that hangs up leaves no poll behind", async () => {
  const { side, owner } = await newDevice();
  const abort = new AbortController();
  const pending = side.get(path, { "Request-Timeout": "60000" }, abort.signal);
  await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
  abort.abort();
  await expect(pending).rejects.toThrow();
  await emulator.waitForRequest({ procedure: "long-poll", device: owner.sn, status: 0 });
});

test("what is not a long poll of one alias is 400", async () => {
  const { side } = await newDevice();
  expect((await side.get(`${path}&other`, { "Request-Timeout": "50" })).status).toBe(400);
  expect((await poll(side, 50, "yesterday")).status).toBe(400);
  expect((await side.get(path, { "Request-Timeout": "soon" })).status).toBe(400);
});
