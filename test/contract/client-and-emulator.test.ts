/**
 * The real client against the real emulator: written apart from one specification, they check each other's reading.
 * Provisioning's content and whatever can go wrong are in client-and-emulator-content.test.ts and -trouble.test.ts.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ConflictError,
  type DeviceClient,
  type DeviceClientOptions,
  RejectedError,
  UnauthorizedError,
} from "../../src/device-client/index.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import { connect, rejection } from "../support/device-client-fixtures.ts";
import { serveProxy } from "../support/device-client-proxy.ts";
import { activatedGateway, clientOf, product } from "../support/emulated-gateway.ts";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";

let emulator: TestEmulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
});
afterAll(() => emulator.close());

const gateway = (options: Partial<DeviceClientOptions> = {}, where = emulator) =>
  activatedGateway(where, options);
const stranger = (options: Partial<DeviceClientOptions> = {}) => clientOf(emulator, options);

/** A client whose requests carry a product's own host name: a proxy stands for the world's DNS. */
async function atHost(host: string, options: Partial<DeviceClientOptions> = {}): Promise<DeviceClient> {
  const proxy = await serveProxy({ targetPort: Number(new URL(emulator.url).port) });
  const proxyEnvironment = { HTTP_PROXY: proxy.url };
  return connect(`http://${host}`, { proxyEnvironment, vendor: product, model: product, ...options }).client;
}

/** Texts that have broken form encoders before. */
const nasty = [
  "",
  " ",
  "+",
  "a+b c%20d",
  "%",
  "%zz",
  "a&b=c",
  "==&&",
  "line 1\r\nline 2\n",
  "\0\u0001\u007f",
  "\ufeffé漢字🛰️",
  "\ufffd",
  '{"install":[{"name":"a.v1.tar.gz"}]}',
  "alias",
  "#?/\\;",
  "]]>'\"<html>",
];

describe("activation", () => {
  test("gives a CIK once, and a new one that voids the old when the owner enables it again", async () => {
    const owner = await emulator.addSerial(product, "act-1");
    const request = { vendor: product, model: product, sn: "act-1" };
    const first = await stranger().activate(request);
    expect(first).toMatch(/^[0-9a-zA-Z]{40}$/);
    const device = stranger({ cik: first });
    await device.write({ a: "1" });

    const refused = await rejection(stranger().activate(request));
    expect(refused).toBeInstanceOf(ConflictError);
    expect(refused).toMatchObject({ status: 409, timestamps: new Map() });
    await device.write({ a: "2" });

    await owner.enable();
    expect(await rejection(device.write({ a: "3" }))).toBeInstanceOf(UnauthorizedError);
    const second = await stranger().activate(request);
    expect(second).not.toBe(first);
    expect((await stranger({ cik: second }).read(["a"])).values.get("a")).toBe("2");
  });

  test("is refused with 404 for what is unknown, with 409 for what is not enabled", async () => {
    await emulator.addSerial(product, "act-2", { enable: false });
    const activate = (vendor: string, model: string, sn: string) =>
      rejection(stranger().activate({ vendor, model, sn }));
    expect(await activate(product, product, "act-2")).toBeInstanceOf(ConflictError);
    for (const [vendor, model, sn] of [
      [product, product, "never-added"],
      ["other", product, "act-2"],
      [product, "other", "act-2"],
    ] as const) {
      const error = await activate(vendor, model, sn);
      expect(error).toBeInstanceOf(RejectedError);
      expect(error).toMatchObject({ status: 404 });
    }
  });

  test("by id alone at the product's own host; the CIK holds at that product's host only", async () => {
    await emulator.addSerial(product, "AA:BB/1 ü".replace("/", "-"));
    await emulator.addProduct("otherpid");
    const id = "AA:BB-1 ü";
    for (const domain of ["m2.exosite.io", "m2.exosite.com"]) {
      await emulator.device(product, id).enable();
      const cik = await (await atHost(`${product}.${domain}`)).activate({ id });
      await (await atHost(`${product}.${domain}`, { cik })).write({ a: "1" });
      const elsewhere = await atHost("otherpid.m2.exosite.io", { cik });
      expect(await rejection(elsewhere.read(["a"]))).toBeInstanceOf(UnauthorizedError);
    }
    expect(await rejection(stranger().activate({ id }))).toMatchObject({ status: 400, code: "REJECTED" });
  });

  test("a moved serial (hardware swap) keeps its data under the new CIK", async () => {
    const { client, owner } = await gateway();
    await client.write({ a: "kept" });
    await emulator.addSerial(product, "act-new", { enable: false });
    const path = `/provision/manage/model/${product}/act-new`;
    await emulator.owner("POST", path, { form: { enable: "true", oldsn: owner.sn } });
    expect(await rejection(client.read(["a"]))).toBeInstanceOf(UnauthorizedError);
    const cik = await stranger().activate({ vendor: product, model: product, sn: "act-new" });
    expect((await stranger({ cik }).read(["a"])).values.get("a")).toBe("kept");
  });
});

describe("values", () => {
  test.each(nasty)("%j arrives byte for byte, in every procedure that carries values", async (value) => {
    const { client, owner } = await gateway();
    await client.write({ w: value, other: "x" });
    expect((await client.read(["w", "other"])).values).toEqual(
      new Map([
        ["w", value],
        ["other", "x"],
      ]),
    );
    const hybrid = await client.writeRead({ h: value }, ["h", "w"]);
    expect(hybrid.values).toEqual(
      new Map([
        ["h", value],
        ["w", value],
      ]),
    );
    await client.record([{ alias: "r", points: [[1_700_000_000, value]] }]);
    await client.recordAlias("p", [[1_700_000_000, value]]);
    for (const alias of ["r", "p"]) expect(await client.readHistory(alias)).toEqual([[1_700_000_000, value]]);
    await client.rpc([{ procedure: "write", arguments: [{ alias: "j" }, value] }]);
    expect((await client.read(["j"])).values.get("j")).toBe(value);
    const polled = await client.longPoll("j", { timeoutMs: 10_000, sinceMs: 0 });
    expect(polled).toMatchObject({ changed: true, value });
    expect(await owner.latest("w")).toBe(value);
  });

  test("any well-formed text arrives byte for byte under any alias", async () => {
    const { client, owner } = await gateway();
    const text = fc.string({ unit: "binary", maxLength: 40 }).map((drawn) => drawn.toWellFormed());
    const alias = text.filter((drawn) => drawn !== "" && drawn !== "." && drawn !== "..");
    const pairs = fc.uniqueArray(fc.tuple(alias, text), {
      minLength: 1,
      maxLength: 12,
      selector: ([name]) => name,
    });
    let timestamp = 1_000_000_000;
    await fc.assert(
      fc.asyncProperty(pairs, async (drawn) => {
        const names = drawn.map(([name]) => name);
        const values = new Map(drawn);
        expect((await client.writeRead(Object.fromEntries(drawn), names)).values).toEqual(values);
        expect((await client.read(names)).values).toEqual(values);
        // A time of its own: two rounds may draw the same alias, and what is recorded first stays.
        timestamp += 1;
        const point = (value: string) => [timestamp, value] as const;
        await client.record(drawn.map(([name, value]) => ({ alias: name, points: [point(value)] })));
        const [[name, value]] = drawn as [(typeof drawn)[0], ...typeof drawn];
        await client.recordAlias(name, [[timestamp + 1_000_000, value]]);
        expect(await client.readHistory(name, { startTime: timestamp, limit: 1 })).toEqual([point(value)]);
        const later = { startTime: timestamp + 1_000_000, limit: 1 };
        expect(await client.readHistory(name, later)).toEqual([[timestamp + 1_000_000, value]]);
      }),
      { numRuns: 15 },
    );
    await client.write({ sum: "done" });
    expect(await owner.latest("sum")).toBe("done");
  });

  test("64 KiB is a value, a byte more is 413", async () => {
    const { client } = await gateway();
    const longest = "é".repeat(32_768);
    expect((await client.writeRead({ big: longest }, ["big"])).values.get("big")).toBe(longest);
    for (const call of [
      client.write({ big: `${longest}x` }),
      client.record([{ alias: "big", points: [[1, `${longest}x`]] }]),
    ]) {
      expect(await rejection(call)).toMatchObject({ code: "REJECTED", status: 413 });
    }
  });
});

describe("write and read", () => {
  test("aliases without a value are left out; none at all is an empty answer, not an error", async () => {
    const { client } = await gateway();
    expect((await client.read(["engine_fetch", "no such alias"])).values).toEqual(new Map());
    expect((await client.writeRead({ x: "1" }, ["nothing"])).values).toEqual(new Map());
    await client.write({ engine_fetch: "" });
    expect((await client.read(["engine_fetch", "nothing"])).values).toEqual(new Map([["engine_fetch", ""]]));
  });

  test("all writes of a hybrid come before its reads, and have one timestamp: the server's", async () => {
    const { client, owner } = await gateway();
    const { values, serverTimeMs = 0 } = await client.writeRead({ a: "new", b: "2" }, ["a", "a", "b"]);
    expect(values).toEqual(
      new Map([
        ["a", "new"],
        ["b", "2"],
      ]),
    );
    const [[ofA = 0] = []] = await owner.history("a");
    const [[ofB = 0] = []] = await owner.history("b");
    expect(ofA).toBe(ofB);
    expect(Math.abs(ofA * 1000 - serverTimeMs)).toBeLessThanOrEqual(1_000);
  });

  test("a write to an alias that does not exist is skipped where the server has it so", async () => {
    await using strict = await startTestEmulator({ strictAliases: true });
    const { client } = await gateway({}, strict);
    const { values } = await client.writeRead({ fetch_status: "1", made_up: "2" }, [
      "fetch_status",
      "made_up",
    ]);
    expect(values).toEqual(new Map([["fetch_status", "1"]]));
    await client.record([{ alias: "made_up", points: [[1, "x"]] }]);
    expect(await rejection(client.readHistory("made_up"))).toBeInstanceOf(RejectedError);
  });

  test("no CIK, a void one, and one that never was are refused alike", async () => {
    const { client, owner } = await gateway();
    await owner.disable();
    expect(await rejection(client.read(["a"]))).toBeInstanceOf(UnauthorizedError);
    expect(await rejection(client.rpc([{ procedure: "info", arguments: [] }]))).toBeInstanceOf(
      UnauthorizedError,
    );
    expect(await rejection(client.listContent())).toBeInstanceOf(UnauthorizedError);
    expect(await rejection(stranger().write({ a: "1" }))).toBeInstanceOf(UnauthorizedError);
    const cik = "0".repeat(40);
    expect(await rejection(stranger({ cik }).record([{ alias: "a", points: [[1, "x"]] }]))).toMatchObject({
      code: "UNAUTHORIZED",
      status: 401,
    });
  });
});

describe("record", () => {
  test("takes many series at once; sending it again adds nothing", async () => {
    const { client, owner } = await gateway();
    const series = ["temp", "alias", "x&y=z"].map((alias) => ({
      alias,
      points: [1, 2, 3].map((n) => [1_700_000_000 + n, `${alias} ${n}`] as const),
    }));
    await client.record(series);
    await client.record(series);
    for (const { alias, points } of series) expect(await owner.history(alias)).toEqual(points);
    expect((await client.read(["temp"])).values.get("temp")).toBe("temp 3");
  });

  test("of timestamps that are too close the refused ones are named, and the others are stored", async () => {
    const { client, owner } = await gateway();
    const refused = await rejection(
      client.record([
        {
          alias: "a,b&c",
          points: [
            [10, "1"],
            [10, "2"],
            [12, "3"],
            [12, "4"],
            [12, "5"],
          ],
        },
        {
          alias: "fine",
          points: [
            [10, "x"],
            [11, "y"],
          ],
        },
      ]),
    );
    expect(refused).toBeInstanceOf(ConflictError);
    expect((refused as ConflictError).timestamps).toEqual(new Map([["a,b&c", [10, 12, 12]]]));
    expect(await owner.history("a,b&c")).toEqual([
      [10, "1"],
      [12, "3"],
    ]);
    expect(await owner.history("fine")).toEqual([
      [10, "x"],
      [11, "y"],
    ]);
    const older = await rejection(
      client.recordAlias("a,b&c", [
        [20, "1"],
        [20, "2"],
      ]),
    );
    expect((older as ConflictError).timestamps).toEqual(new Map([["a,b&c", [20]]]));
  });
});

describe("long poll", () => {
  test("brings a value as soon as it is written; nothing new is no error", async () => {
    const { client, owner } = await gateway();
    await owner.write("engine_fetch", "old");
    expect(await client.longPoll("engine_fetch", { timeoutMs: 30 })).toMatchObject({ changed: false });
    const pending = client.longPoll("engine_fetch", { timeoutMs: 999_999 });
    await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
    await owner.write("engine_fetch", "new");
    const answer = await pending;
    expect(answer).toMatchObject({ changed: true, value: "new" });
    const timestamps = (await owner.history("engine_fetch")).map(([timestamp]) => timestamp * 1000);
    expect(answer).toHaveProperty("lastModifiedMs", timestamps[1]);
  });

  test("lastModifiedMs passed back misses nothing between two polls", async () => {
    const { client, owner } = await gateway();
    const written = ["a", "b", "c", "d"];
    for (const value of written) await owner.write("engine_fetch", value);
    const seen: string[] = [];
    for (let sinceMs = 0; ; ) {
      const answer = await client.longPoll("engine_fetch", { timeoutMs: 30, sinceMs });
      if (!answer.changed) break;
      seen.push(answer.value);
      sinceMs = answer.lastModifiedMs ?? expect.unreachable("a value without Last-Modified");
    }
    expect(seen).toEqual(written);
  });

  test("a value that is written in the very second that the poll counts from arrives", async () => {
    const nowMs = 1_800_000_000_400;
    await using still = await startTestEmulator({ clock: { ...systemClock, now: () => nowMs } });
    const { client, owner } = await gateway({}, still);
    const pending = client.longPoll("engine_fetch", { timeoutMs: 10_000, sinceMs: nowMs });
    await still.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
    await owner.write("engine_fetch", "same second");
    expect(await pending).toMatchObject({ changed: true, value: "same second" });
  });

  test("ends with the caller's abort, and with UnauthorizedError when the CIK becomes void", async () => {
    const { client, owner } = await gateway();
    const abort = new AbortController();
    const aborted = client.longPoll("x", { timeoutMs: 60_000, signal: abort.signal });
    await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
    abort.abort("enough");
    expect(await rejection(aborted)).toBe("enough");
    await emulator.waitForRequest({ procedure: "long-poll", device: owner.sn, status: 0 });
    const voided = rejection(client.longPoll("x", { timeoutMs: 60_000 }));
    await emulator.waitForOpenRequest({ procedure: "long-poll", device: owner.sn });
    await owner.disable();
    expect(await voided).toBeInstanceOf(UnauthorizedError);
  });
});

describe("RPC", () => {
  test("history by range, order and number", async () => {
    const { client } = await gateway();
    const points = [10, 20, 30, 40].map((timestamp) => [timestamp, `v${timestamp}`] as const);
    await client.record([{ alias: "h", points }]);
    expect(await client.readHistory("h")).toEqual(points);
    expect(await client.readHistory("h", { startTime: 20, endTime: 30 })).toEqual(points.slice(1, 3));
    expect(await client.readHistory("h", { limit: 1 })).toEqual(points.slice(0, 1));
    expect(await client.readHistory("h", { limit: 2, sort: "desc" })).toEqual(points.slice(2).reverse());
    expect(await client.readHistory("h", { startTime: 41 })).toEqual([]);
    expect(await rejection(client.readHistory("none"))).toMatchObject({
      code: "REJECTED",
      context: { rpcStatus: "invalid" },
    });
  });

  test("every procedure of the page, several in one request, each with its own result", async () => {
    const { client, owner } = await gateway();
    const results = await client.rpc([
      { procedure: "write", arguments: [{ alias: "a" }, "1"] },
      {
        procedure: "record",
        arguments: [
          { alias: "r" },
          [
            [10, "x"],
            [20, "y"],
          ],
        ],
      },
      { procedure: "recordbatch", arguments: [{ alias: "r" }, [[30, "z"]]] },
      { procedure: "read", arguments: [{ alias: "r" }, { limit: 9, sort: "asc", selection: "all" }] },
      { procedure: "lookup", arguments: ["alias", "r"] },
      { procedure: "lookup", arguments: ["alias", "no such"] },
      { procedure: "listing", arguments: [["dataport"]] },
      { procedure: "info", arguments: [{ alias: "r" }] },
      { procedure: "no such procedure", arguments: [] },
    ]);
    expect(results.slice(0, 4)).toEqual([
      { status: "ok" },
      { status: "ok" },
      { status: "ok" },
      {
        status: "ok",
        result: [
          [10, "x"],
          [20, "y"],
          [30, "z"],
        ],
      },
    ]);
    const [, , , , found, missing, listing, info, unknown] = results;
    expect(found).toMatchObject({ status: "ok", result: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(missing?.status).toBe("invalid");
    expect(listing?.result).toEqual({ dataport: expect.arrayContaining([found?.result]) });
    expect(info).toMatchObject({ status: "ok", result: { description: { format: "string" } } });
    expect(unknown?.status).not.toBe("ok");
    expect(await owner.latest("a")).toBe("1");
  });

  test("the owner acts on a child by its rid; a device on nobody else", async () => {
    const one = await gateway();
    const two = await gateway();
    const clientId = await one.owner.rid();
    const owner = stranger({ cik: emulator.cik });
    const call = { procedure: "write", arguments: [{ alias: "engine_fetch" }, "command"] };
    expect(await owner.rpc([call], { clientId })).toEqual([{ status: "ok" }]);
    expect((await one.client.read(["engine_fetch"])).values.get("engine_fetch")).toBe("command");
    expect(await rejection(two.client.rpc([call], { clientId }))).toBeInstanceOf(UnauthorizedError);
  });
});
