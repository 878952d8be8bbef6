import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestEmulator, type TestEmulator } from "../../support/emulator.ts";
import { DeviceSide } from "../../support/emulator-device-side.ts";

let emulator: TestEmulator;
let serial = 0;

beforeAll(async () => {
  emulator = await startTestEmulator();
});
afterAll(() => emulator.close());

async function newDevice(): Promise<DeviceSide> {
  serial += 1;
  const { cik } = await emulator.addActivated("gw", `sn-${serial}`);
  return new DeviceSide(emulator.url, cik);
}

const alias = "/onep:v1/stack/alias";

describe("write and read", () => {
  test("a value comes back byte for byte", async () => {
    const device = await newDevice();
    const value = "a&b=c%d+e f\n\r\t\u0000 ü€😀";
    expect((await device.post(alias, new URLSearchParams({ engine_report: value }))).status).toBe(204);
    const response = await device.get(`${alias}?engine_report`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-www-form-urlencoded; charset=utf-8");
    const body = await response.text();
    expect(body).not.toContain("+");
    expect(new URLSearchParams(body).get("engine_report")).toBe(value);
  });

  test("bytes that are not UTF-8 come back as they were", async () => {
    const device = await newDevice();
    await device.post(alias, "raw=%FF%00%80x");
    expect(await (await device.get(`${alias}?raw`)).text()).toBe("raw=%FF%00%80%78");
  });

  test("an empty value is a value", async () => {
    const device = await newDevice();
    await device.post(alias, "engine_fetch=");
    const response = await device.get(`${alias}?engine_fetch`);
    expect([response.status, await response.text()]).toEqual([200, "engine_fetch="]);
  });

  test("a read skips aliases without a value, and answers 204 when none has one", async () => {
    const device = await newDevice();
    expect((await device.get(`${alias}?engine_fetch&nothing`)).status).toBe(204);
    await device.post(alias, "b=2");
    expect(await (await device.get(`${alias}?a&b&engine_fetch`)).text()).toBe("b=2");
  });

  test("a hybrid request writes before it reads", async () => {
    const device = await newDevice();
    const response = await device.post(`${alias}?x&y`, "x=new&y=1");
    expect([response.status, await response.text()]).toEqual([200, "x=new&y=1"]);
    expect((await device.post(`${alias}?update_interval`, "x=2")).status).toBe(204);
    expect((await device.post(`${alias}?x`, "")).status).toBe(200);
  });

  test("without a valid CIK it is 401", async () => {
    const stranger = new DeviceSide(emulator.url, "0".repeat(40));
    expect((await stranger.get(`${alias}?x`)).status).toBe(401);
    expect((await stranger.post(alias, "x=1")).status).toBe(401);
    expect((await fetch(`${emulator.url}${alias}?x`)).status).toBe(401);
  });

  test.each([
    ["no alias to read", "GET", alias, undefined, 400],
    ["nothing to write", "POST", alias, "", 400],
    ["an alias without value", "POST", alias, "x", 400],
    ["an empty alias", "POST", alias, "=1", 400],
    ["a broken percent-encoding", "POST", alias, "x=%4", 400],
    ["a broken percent-encoding in the query", "GET", `${alias}?%zz`, undefined, 400],
  ] as const)("malformed: %s", async (_what, method, path, body, status) => {
    const device = await newDevice();
    expect((await device.request(method, path, body)).status).toBe(status);
  });

  test("other media types are 415, values above 64 KiB 413", async () => {
    const device = await newDevice();
    const json = { "Content-Type": "application/json" };
    expect((await device.post(alias, '{"x":1}', json)).status).toBe(415);
    expect((await device.post(alias, `x=${"a".repeat(65_536)}`)).status).toBe(204);
    expect((await device.post(alias, `x=${"a".repeat(65_537)}`)).status).toBe(413);
  });

  test("a body beyond all limits is 413 and the connection goes on", async () => {
    const device = await newDevice();
    expect((await device.post(alias, `x=${"a".repeat(9 * 1024 * 1024)}`)).status).toBe(413);
    expect((await device.post(alias, "x=1")).status).toBe(204);
  });

  test("values written within one second all stay, in order", async () => {
    const device = await newDevice();
    for (const value of ["1", "2", "3"]) await device.post(alias, `x=${value}`);
    const history = await emulator.device("gw", `sn-${serial}`).history("x");
    expect(history.map(([, value]) => value)).toEqual(["1", "2", "3"]);
    const stamps = history.map(([ts]) => ts);
    expect(stamps).toEqual([...new Set(stamps)].sort((a, b) => a - b));
    expect(await (await device.get(`${alias}?x`)).text()).toBe("x=3");
  });
});

describe("record", () => {
  const record = "/onep:v1/stack/record";

  test("several aliases in one request", async () => {
    const device = await newDevice();
    const body = "alias=t&1700000000=1&1700000010=2&alias=h&1700000005=50%25";
    expect((await device.post(record, body)).status).toBe(204);
    const owner = emulator.device("gw", `sn-${serial}`);
    expect(await owner.history("t")).toEqual([
      [1700000000, "1"],
      [1700000010, "2"],
    ]);
    expect(await owner.history("h")).toEqual([[1700000005, "50%"]]);
    expect(await (await device.get(`${alias}?t`)).text()).toBe("t=2");
  });

  test("the older form, with the alias in the path", async () => {
    const device = await newDevice();
    expect((await device.post(`${alias}/t%20x`, "1700000000=1&1700000001=2")).status).toBe(204);
    expect(await emulator.device("gw", `sn-${serial}`).history("t x")).toHaveLength(2);
  });

  test("re-sending adds no second point and keeps the first value", async () => {
    const device = await newDevice();
    await device.post(record, "alias=t&1700000000=1");
    expect((await device.post(record, "alias=t&1700000000=other&1700000001=2")).status).toBe(204);
    expect(await emulator.device("gw", `sn-${serial}`).history("t")).toEqual([
      [1700000000, "1"],
      [1700000001, "2"],
    ]);
  });

  test("timestamps less than a second apart: 409 names the refused, the others are stored", async () => {
    const device = await newDevice();
    const body = "alias=a&100=1&100=2&102.5=3&103.4=4&104=5&alias=b&100=1&alias=c&7=1&7=2";
    const response = await device.post(record, body);
    expect(response.status).toBe(409);
    expect(await response.text()).toBe("a=100,103.4&c=7");
    const owner = emulator.device("gw", `sn-${serial}`);
    expect(await owner.history("a")).toEqual([
      [100, "1"],
      [102, "3"],
      [104, "5"],
    ]);
    expect(await owner.history("b")).toEqual([[100, "1"]]);
  });

  test("an older record does not displace the latest value", async () => {
    const device = await newDevice();
    await device.post(alias, "t=now");
    await device.post(record, "alias=t&1700000000=old");
    expect(await (await device.get(`${alias}?t`)).text()).toBe("t=now");
  });

  test("a record from a clock far ahead is history only, and later writes keep the right time", async () => {
    const device = await newDevice();
    const now = Math.floor(Date.now() / 1000);
    await device.post(record, `alias=t&${now + 100_000}=future`);
    expect((await device.get(`${alias}?t`)).status).toBe(204);
    await device.post(alias, "t=now");
    expect(await (await device.get(`${alias}?t`)).text()).toBe("t=now");
    const history = await emulator.device("gw", `sn-${serial}`).history("t");
    expect(history[0]?.[0]).toBeLessThan(now + 60);
    expect(history[1]).toEqual([now + 100_000, "future"]);
  });

  test.each(["1700000000=1", "alias=t", "alias=t&soon=1", "alias=t&-5=1", "alias=t&5", "alias=&5=1", ""])(
    "malformed: %j is 400 and stores nothing",
    async (body) => {
      const device = await newDevice();
      expect((await device.post(record, body)).status).toBe(400);
      expect(await emulator.device("gw", `sn-${serial}`).history("t")).toEqual([]);
    },
  );
});

test("timestamp needs no CIK", async () => {
  const response = await fetch(`${emulator.url}/timestamp`);
  expect(response.headers.get("content-type")).toContain("text/plain");
  expect(Math.abs(Number(await response.text()) - Date.now() / 1000)).toBeLessThan(60);
});

test("unknown endpoints are 404, wrong methods 405", async () => {
  expect((await fetch(`${emulator.url}/nowhere`)).status).toBe(404);
  const response = await fetch(`${emulator.url}/timestamp`, { method: "DELETE" });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET"]);
});
