/** The real client against the real emulator: whatever can go wrong. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  ConflictError,
  type DeviceClientOptions,
  MalformedAnswerError,
  NetworkError,
  RateLimitedError,
  RejectedError,
  ServerError,
  UnauthorizedError,
  withRetry,
} from "../../src/device-client/index.ts";
import { systemClock } from "../../src/platform/system-clock.ts";
import { connect, rejection } from "../support/device-client-fixtures.ts";
import { activatedGateway, product } from "../support/emulated-gateway.ts";
import { startTestEmulator, type TestEmulator } from "../support/emulator.ts";

let emulator: TestEmulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
});
afterEach(() => emulator.clearFaults());
afterAll(() => emulator.close());

const gateway = (options: Partial<DeviceClientOptions> = {}, where = emulator) =>
  activatedGateway(where, options);

test.each([
  [400, RejectedError],
  [401, UnauthorizedError],
  [403, RejectedError],
  [404, RejectedError],
  [409, ConflictError],
  [412, RejectedError],
  [413, RejectedError],
  [415, RejectedError],
  [429, RateLimitedError],
  [500, ServerError],
  [501, RejectedError],
  [502, ServerError],
  [503, ServerError],
  [504, ServerError],
])("status %i is told by its class, whatever the procedure", async (status, kind) => {
  const { client } = await gateway();
  emulator.addFault({ status });
  const calls = [
    client.write({ a: "1" }),
    client.read(["a"]),
    client.writeRead({ a: "1" }, ["a"]),
    client.longPoll("a", { timeoutMs: 50 }),
    client.record([{ alias: "a", points: [[1, "x"]] }]),
    client.recordAlias("a", [[1, "x"]]),
    client.rpc([{ procedure: "info", arguments: [] }]),
    client.readHistory("a"),
    client.activate({ vendor: product, model: product, sn: "x" }),
    client.listContent(),
    client.contentInfo("a"),
    client.download({ id: "a" }),
    client.timestamp(),
  ];
  for (const error of await Promise.all(calls.map((call) => rejection(call)))) {
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status });
  }
});

test("Retry-After in seconds, and as a date by the server's own clock", async () => {
  await using elsewhen = await startTestEmulator({ timeOffsetS: -1_000_000 });
  const { client } = await gateway({}, elsewhen);
  expect(Math.abs((await client.timestamp()) - (Date.now() / 1000 - 1_000_000))).toBeLessThan(60);
  const date = new Date((elsewhen.emulator.serverClock.nowS() + 60) * 1000).toUTCString();
  for (const [status, header, least] of [
    [429, "7", 7_000],
    [429, date, 50_000],
    [503, "9", 9_000],
  ] as const) {
    elsewhen.addFault({ id: "busy", status, headers: { "Retry-After": header } });
    const { retryAfterMs } = (await rejection(client.read(["a"]))) as RateLimitedError;
    expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  }
});

test.each(["before", "after"] as const)("a connection dropped %s the request is processed", async (drop) => {
  const { client, owner } = await gateway();
  emulator.addFault({ match: { procedure: "write" }, drop });
  const error = await rejection(client.write({ a: "1" }));
  expect(error).toBeInstanceOf(NetworkError);
  expect(error).toMatchObject({ requestSent: true });
  expect(await owner.history("a")).toHaveLength(drop === "after" ? 1 : 0);
});

test("a cut body is a NetworkError, a garbled one a MalformedAnswerError, an endless one too", async () => {
  const { client } = await gateway({ maxAnswerBytes: 1_000 });
  await client.write({ a: "a value of some length", b: "y".repeat(2_000) });
  emulator.addFault({ match: { procedure: "read" }, cutAfterBytes: 3, count: 1 });
  expect(await rejection(client.read(["a"]))).toBeInstanceOf(NetworkError);
  for (const body of ["<html>Log in</html>", "no form", "a=1&secret=2"]) {
    emulator.addFault({ match: { procedure: "read" }, status: 200, body, count: 1 });
    expect(await rejection(client.read(["a"]))).toBeInstanceOf(MalformedAnswerError);
  }
  expect(await rejection(client.read(["b"]))).toBeInstanceOf(MalformedAnswerError);
  expect((await client.read(["a"])).values.get("a")).toBe("a value of some length");
});

test("latency beyond the idle time-out is a TimeoutError; a slow body within it is none", async () => {
  const { client } = await gateway({ idleTimeoutMs: 700 });
  await client.write({ a: "0123456789" });
  emulator.addFault({ id: "late", latencyMs: 60_000 });
  expect(await rejection(client.read(["a"]))).toMatchObject({ code: "TIMEOUT", phase: "idle" });
  emulator.removeFault("late");
  // Twelve bytes, two at a time: three quarters of a second in all, an eighth between any two.
  emulator.addFault({ bytesPerSecond: 16 });
  expect((await client.read(["a"])).values.get("a")).toBe("0123456789");
});

test("offline: nothing was sent; back online the same client carries on by itself", async () => {
  await using away = await startTestEmulator();
  const { client } = await gateway({}, away);
  await client.write({ a: "1" });
  await away.goOffline();
  // The kept connection is found dead first, then no new one is to be had.
  expect(await rejection(client.write({ a: "2" }))).toMatchObject({ code: "NETWORK" });
  expect(await rejection(client.write({ a: "2" }))).toMatchObject({ code: "NETWORK", requestSent: false });
  await away.goOnline();
  expect((await client.writeRead({ a: "3" }, ["a"])).values.get("a")).toBe("3");
});

test("retries bring reads through, and never make two points of one write", async () => {
  const { client, owner } = await gateway();
  const schedule = { firstDelayMs: 1, maxDelayMs: 2, factor: 1, jitter: 0 };
  const api = withRetry(client, { schedule, clock: systemClock, random: Math.random, attempts: 4 });
  await api.write({ a: "1" });
  emulator.addFault({ match: { procedure: "read" }, drop: "after", count: 2 });
  emulator.addFault({ match: { procedure: "read" }, status: 503, count: 3 });
  expect((await api.read(["a"])).values.get("a")).toBe("1");
  emulator.addFault({ match: { procedure: "write" }, status: 429, count: 2 });
  await api.write({ b: "1" });
  emulator.addFault({ match: { procedure: "write" }, drop: "after", count: 1 });
  expect(await rejection(api.write({ c: "1" }))).toBeInstanceOf(NetworkError);
  for (const alias of ["a", "b", "c"]) expect(await owner.history(alias)).toHaveLength(1);
});

test("both count the same bytes of an answer", async () => {
  const { cik, owner } = await gateway();
  const { client, exchanges } = connect(emulator.url, { cik, consumer: "app" });
  await client.write({ a: "é".repeat(500) });
  await client.read(["a"]);
  const entries = await emulator.waitForRequests({ device: owner.sn }, 2);
  expect(exchanges.map(({ bytesReceived }) => bytesReceived)).toEqual(
    entries.map(({ responseBytes }) => responseBytes),
  );
  expect(exchanges.map(({ consumer, status }) => [consumer, status])).toEqual([
    ["app", 204],
    ["app", 200],
  ]);
  expect(JSON.stringify(entries)).not.toContain(cik);
});
