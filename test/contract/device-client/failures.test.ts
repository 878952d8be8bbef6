import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import {
  ConflictError,
  MalformedAnswerError,
  NetworkError,
  RateLimitedError,
  RejectedError,
  ServerError,
  TimeoutError,
  UnauthorizedError,
} from "../../../src/device-client/index.ts";
import { answer, cik, connect, rejection } from "../../support/device-client-fixtures.ts";
import { listen, serve, serveRaw } from "../../support/device-client-wire-server.ts";

describe("a status is one class of error", () => {
  test.each([
    [400, RejectedError],
    [401, UnauthorizedError],
    [403, RejectedError],
    [404, RejectedError],
    [407, NetworkError],
    [408, TimeoutError],
    [409, ConflictError],
    [412, RejectedError],
    [413, RejectedError],
    [415, RejectedError],
    [429, RateLimitedError],
    [500, ServerError],
    [501, RejectedError],
    [503, ServerError],
  ])("%i", async (status, kind) => {
    const server = await serve((_request, response) => answer(response, status, "why not"));
    const { client, exchanges } = connect(server.url);
    const error = await rejection(client.read(["a"]));
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, answer: "why not", procedure: "read" });
    expect(exchanges).toMatchObject([{ procedure: "read", status }]);
  });

  test("409 names the refused timestamps of a record", async () => {
    const server = await serve((_request, response) => answer(response, 409, "temp=100,101&odd%20one=7"));
    const { client } = connect(server.url);
    for (const call of [
      client.recordAlias("temp", [[100, "x"]]),
      client.record([{ alias: "a", points: [[1, "x"]] }]),
    ]) {
      const error = (await rejection(call)) as ConflictError;
      expect([...error.timestamps]).toEqual([
        ["temp", [100, 101]],
        ["odd one", [7]],
      ]);
    }
  });

  test("409 with another text names none", async () => {
    const server = await serve((_request, response) => answer(response, 409, "temp=soon"));
    const error = await rejection(connect(server.url).client.recordAlias("temp", [[100, "x"]]));
    expect(error).toMatchObject({ timestamps: new Map(), answer: "temp=soon" });
  });

  test.each([
    [429, "30", 30_000],
    [503, "Mon, 01 Jan 2024 12:02:00 GMT", 120_000],
    [429, "", undefined],
  ])("%i with Retry-After %j", async (status, retryAfter, retryAfterMs) => {
    const server = await serve((_request, response) =>
      answer(response, status, "", { "Retry-After": retryAfter, Date: "Mon, 01 Jan 2024 12:00:00 GMT" }),
    );
    expect(await rejection(connect(server.url).client.read(["a"]))).toMatchObject({ status, retryAfterMs });
  });

  test("an error's long body is cut to 1 KiB, and one that is cut short is told as far as it came", async () => {
    const long = await serve((_request, response) =>
      answer(response, 500, "x".repeat(200_000), { "Content-Length": "200000" }),
    );
    const error500 = (await rejection(connect(long.url).client.read(["a"]))) as ServerError;
    expect(error500.answer).toBe("x".repeat(1024));
    const cut = await serveRaw("HTTP/1.1 401 No\r\nContent-Length: 100\r\n\r\nstart", (socket) =>
      socket.end(),
    );
    const error = await rejection(connect(cut.url).client.read(["a"]));
    expect(error).toBeInstanceOf(UnauthorizedError);
    expect(error).toMatchObject({ answer: "start" });
  });
});

describe("a server that breaks off", () => {
  test.each([
    ["in the head", "HTTP/1.1 200 OK\r\nContent-Le"],
    ["in a body of known length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na=1"],
    ["in a chunked body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n"],
    ["before any byte", ""],
  ])("%s", async (_what, head) => {
    const server = await listen((socket) => socket.on("data", () => socket.end(head)));
    const { client, exchanges } = connect(server.url);
    const error = await rejection(client.read(["a"]));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ requestSent: true, context: { server: server.url } });
    expect(exchanges).toMatchObject([{ bytesReceived: head.length, reusedConnection: false }]);
  });

  test("with a reset", async () => {
    const server = await listen((socket) => socket.on("data", () => socket.resetAndDestroy()));
    const error = await rejection(connect(server.url).client.write({ a: "1" }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ requestSent: true, context: { code: "ECONNRESET" } });
  });

  test("by not being there", async () => {
    const { client, exchanges } = connect("http://127.0.0.1:1");
    const error = await rejection(client.write({ a: "1" }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ requestSent: false, context: { code: "ECONNREFUSED" } });
    expect(exchanges).toMatchObject([{ bytesSent: 0, bytesReceived: 0, status: undefined }]);
  });

  test("by a name that does not resolve", async () => {
    const error = await rejection(connect("http://no-such-host.invalid").client.read(["a"]));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ requestSent: false });
  });
});

describe("an answer that is none", () => {
  test.each([
    ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\nX: ${"x".repeat(100_000)}`],
    ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na=1"],
    ["a broken chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
  ])("%s", async (_what, bytes) => {
    const server = await serveRaw(bytes);
    expect(await rejection(connect(server.url).client.read(["a"]))).toBeInstanceOf(MalformedAnswerError);
  });

  test.each([
    ["announced", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"],
    ["not announced", `HTTP/1.1 200 OK\r\n\r\na=${"x".repeat(5_000)}`],
  ])("a body over the limit, %s, is not read on", async (_what, bytes) => {
    let closed: Promise<void> | undefined;
    const server = await listen((socket) => {
      closed = new Promise((resolve) => socket.once("close", () => resolve()));
      socket.on("data", () => socket.write(bytes));
    });
    const error = await rejection(connect(server.url, { maxAnswerBytes: 1_000 }).client.read(["a"]));
    expect(error).toBeInstanceOf(MalformedAnswerError);
    await closed;
  });
});

describe("the CIK stays out of errors", () => {
  test.each([
    ["echoed by a refusal", 400, `no such client ${cik}`],
    ["echoed across the cut", 400, `${"x".repeat(1_010)} ${cik}`],
    ["echoed in odd company", 500, `cik=x${cik}y`],
    ["another one, in a bad answer to a read", 200, `here: ${cik.toUpperCase()}`],
  ])("%s", async (_what, status, body) => {
    const server = await serve((_request, response) => answer(response, status, body));
    const error = await rejection(connect(server.url).client.read(["a"]));
    const shown = inspect(error, { depth: 9, showHidden: true }).toLowerCase();
    expect(shown).not.toContain(cik.slice(0, 12).toLowerCase());
  });

  test("even when it comes as garbage, of which Node keeps a copy", async () => {
    const server = await serveRaw(`NOTHTTP ${cik}\r\n\r\n`);
    const { client } = connect(server.url);
    const error = await rejection(client.activate({ id: "serial" }));
    const shown = inspect(error, { depth: 9, showHidden: true, maxArrayLength: 9999 });
    expect(shown).not.toContain(cik.slice(0, 12));
    expect(shown).not.toContain(Buffer.from(cik).toString("hex").slice(0, 12));
    expect(shown.replaceAll(" ", "")).not.toContain("303132333435");
    expect(shown.replaceAll(" ", "")).not.toMatch(/30,?31,?32,?33,?34/);
  });
});
