import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EmulatedDevice, startTestEmulator, type TestEmulator } from "../../support/emulator.ts";

let emulator: TestEmulator;
let device: EmulatedDevice;
let cik: string;
let rid: string;

beforeAll(async () => {
  emulator = await startTestEmulator();
  ({ device, cik } = await emulator.addActivated("gw", "1"));
  rid = await device.rid();
});
afterAll(() => emulator.close());

interface Answer {
  readonly id: number;
  readonly status: string;
  readonly result?: unknown;
  readonly error?: unknown;
}

async function post(body: string): Promise<{ status: number; json: unknown }> {
  const response = await fetch(`${emulator.url}/onep:v1/rpc/process`, {
    method: "POST",
    headers: { "Content-Type": "application/json; charset=utf-8" },
    body,
  });
  return {
    status: response.status,
    json: response.headers.get("content-type")?.includes("json") ? await response.json() : undefined,
  };
}

async function call(auth: object, procedure: string, ...args: unknown[]): Promise<Answer> {
  const calls = [{ id: 7, procedure, arguments: args }];
  const { status, json } = await post(JSON.stringify({ auth, calls }));
  expect(status).toBe(200);
  const [answer] = json as [Answer];
  expect(answer.id).toBe(7);
  return answer;
}

const asDevice = (procedure: string, ...args: unknown[]) => call({ cik }, procedure, ...args);

describe("write, record, read", () => {
  test("what is written is read, newest first, one by default", async () => {
    expect(await asDevice("write", { alias: "w" }, "ü & =")).toEqual({ id: 7, status: "ok" });
    const { result } = await asDevice("read", { alias: "w" });
    expect(result).toEqual([[expect.any(Number), "ü & ="]]);
  });

  test("options choose and order", async () => {
    const points = Array.from({ length: 10 }, (_, n) => [1000 + n * 10, String(n)] as const);
    expect((await asDevice("record", { alias: "h" }, points)).status).toBe("ok");
    const read = async (options: object) => {
      const { result } = await asDevice("read", { alias: "h" }, options);
      return (result as [number, string][]).map(([, value]) => value).join("");
    };
    expect(await read({})).toBe("9");
    expect(await read({ limit: 3 })).toBe("987");
    expect(await read({ limit: 3, sort: "asc" })).toBe("012");
    expect(await read({ limit: 100, sort: "asc" })).toBe("0123456789");
    expect(await read({ starttime: 1020, endtime: 1050, limit: 100, sort: "asc" })).toBe("2345");
    expect(await read({ limit: 5, sort: "asc", selection: "autowindow" })).toBe("02468");
    expect(await read({ limit: 2, sort: "asc", selection: "givenwindow" })).toBe("05");
    expect(await read({ starttime: 5000, limit: 10 })).toBe("");
  });

  test("recordbatch too; timestamps too close are named, the others kept", async () => {
    const entries = [
      [5, "a"],
      [5.5, "b"],
      [9, "c"],
    ];
    const answer = await asDevice("recordbatch", { alias: "b" }, entries);
    expect(answer).toMatchObject({ status: "error", error: { context: { code: 409, refused: [5.5] } } });
    expect(await device.history("b")).toEqual([
      [5, "a"],
      [9, "c"],
    ]);
  });

  test("what is written by RPC is read over HTTP, and wakes a long poll", async () => {
    const headers = { "X-Exosite-CIK": cik, "Request-Timeout": "60000" };
    const pending = fetch(`${emulator.url}/onep:v1/stack/alias?poked`, { headers });
    await emulator.waitForOpenRequest({ procedure: "long-poll", device: "1" });
    await device.write("poked", "1");
    expect(await (await pending).text()).toBe("poked=1");
  });

  test("several calls run in order; one without id gets no answer", async () => {
    const calls = [
      { id: 1, procedure: "write", arguments: [{ alias: "o" }, "1"] },
      { procedure: "write", arguments: [{ alias: "o" }, "2"] },
      { id: "x", procedure: "read", arguments: [{ alias: "o" }] },
    ];
    const { json } = await post(JSON.stringify({ auth: { cik }, calls }));
    expect(json).toEqual([
      { id: 1, status: "ok" },
      { id: "x", status: "ok", result: [[expect.any(Number), "2"]] },
    ]);
  });

  test("numbers stay numbers in a dataport of a numeric format", async () => {
    const { result } = await asDevice("create", "dataport", { name: "t", format: "float" });
    await asDevice("map", "alias", result, "temperature");
    await asDevice("write", { alias: "temperature" }, 20.5);
    expect((await asDevice("read", { alias: "temperature" })).result).toEqual([[expect.any(Number), 20.5]]);
  });
});

describe("resources", () => {
  test("lookup, listing, info agree", async () => {
    const { result: own } = await asDevice("lookup", "alias", "");
    expect(own).toBe(rid);
    const { result: fetchRid } = await asDevice("lookup", "alias", "engine_fetch");
    const { result: listing } = await asDevice("listing", ["dataport", "client"], {});
    expect((listing as { dataport: string[] }).dataport).toContain(fetchRid);
    const { result: info } = await asDevice("info", fetchRid, {});
    expect(info).toMatchObject({
      basic: { type: "dataport" },
      description: { name: "engine_fetch", format: "string" },
      aliases: ["engine_fetch"],
    });
    expect(JSON.stringify((await asDevice("info", { alias: "" })).result)).not.toContain(cik);
  });

  test("dataports are made, renamed, emptied and dropped", async () => {
    const { result: made } = await asDevice("create", "dataport", { name: "n" });
    expect((await asDevice("map", "alias", made, "one")).status).toBe("ok");
    expect((await asDevice("map", "alias", made, "engine_fetch")).status).toBe("invalid");
    await asDevice("write", made, "x");
    expect(await device.latest("one")).toBe("x");
    await asDevice("flush", { alias: "one" });
    expect(await device.latest("one")).toBeUndefined();
    await asDevice("unmap", "alias", "one");
    expect((await asDevice("lookup", "alias", "one")).status).toBe("invalid");
    expect((await asDevice("drop", made)).status).toBe("ok");
    expect((await asDevice("info", made)).status).toBe("invalid");
  });

  test("the owner sees its devices and acts on them", async () => {
    const owner = { cik: emulator.cik };
    const { result } = await call(owner, "listing", ["client"], {});
    expect((result as { client: string[] }).client).toContain(rid);
    await call({ ...owner, client_id: rid }, "write", { alias: "update_interval" }, "5");
    expect(await device.latest("update_interval")).toBe("5");
    expect((await call(owner, "write", { alias: "x" }, "1")).status).toBe("restricted");
  });
});

describe("refusals", () => {
  test("401 for an unknown CIK and for a client that is not one's own", async () => {
    const { device: other } = await emulator.addActivated("gw", "2");
    const calls = [{ id: 1, procedure: "read", arguments: [{ alias: "x" }] }];
    for (const auth of [
      { cik: "0".repeat(40) },
      { cik, client_id: await other.rid() },
      { cik: emulator.cik, client_id: "0".repeat(40) },
    ]) {
      expect((await post(JSON.stringify({ auth, calls }))).status).toBe(401);
    }
  });

  test.each(["{", "[]", '{"auth":{},"calls":[]}', '{"auth":{"cik":"x"}}'])("400 for %s", async (body) => {
    expect((await post(body)).status).toBe(400);
  });

  test("unknown procedures and bad arguments fail their call alone", async () => {
    expect((await asDevice("constructor")).status).toBe("error");
    expect((await asDevice("read", 5)).status).toBe("badarg");
    expect((await asDevice("read", { alias: "x" }, { sort: "up" })).status).toBe("invalid");
    await asDevice("write", { alias: "x" }, "1");
    expect((await asDevice("read", { alias: "x" }, { sort: "up" })).status).toBe("badarg");
    expect((await asDevice("write", { alias: "x" })).status).toBe("badarg");
    expect((await asDevice("write", { alias: "x" }, "a".repeat(65_537))).status).toBe("badarg");
    expect((await asDevice("create", "datarule", {})).status).toBe("badarg");
  });
});
