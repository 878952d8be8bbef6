import { describe, expect, test } from "vitest";
import { MalformedAnswerError, RejectedError, UnauthorizedError } from "../../../src/device-client/index.ts";
import { answer, cik, connect, rejection } from "../../support/device-client-fixtures.ts";
import { serve } from "../../support/device-client-wire-server.ts";

const formType = "application/x-www-form-urlencoded; charset=utf-8";
const awkward = "a&b=c%d+e f\r\n\0é😀'\"<>/?#";

describe("write", () => {
  test("posts all values in one form, byte for byte, and learns the server's time", async () => {
    const server = await serve((_request, response) =>
      answer(response, 204, "", { Date: "Mon, 01 Jan 2024 12:00:00 GMT" }),
    );
    const { client } = connect(server.url, { userAgent: "GatewayEngine-v1" });
    expect(await client.write({ temp: "21.5", note: awkward, empty: "", "odd alias&": "x" })).toEqual({
      serverTimeMs: Date.UTC(2024, 0, 1, 12),
    });
    const [request] = server.requests;
    expect(request).toMatchObject({ method: "POST", url: "/onep:v1/stack/alias" });
    expect(request?.headers).toMatchObject({
      "x-exosite-cik": cik,
      "content-type": formType,
      "user-agent": "GatewayEngine-v1",
      "accept-encoding": "identity",
    });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      temp: "21.5",
      note: awkward,
      empty: "",
      "odd alias&": "x",
    });
  });

  test.each([
    ["a captive portal's page", 200, "<html>log in</html>", "text/html"],
    ["an empty 200", 200, "", "text/plain"],
    ["a 205", 205, "", "text/plain"],
  ])("%s is no acknowledgement", async (_what, status, body, type) => {
    const server = await serve((_request, response) =>
      answer(response, status, body, { "Content-Type": type }),
    );
    expect(await rejection(connect(server.url).client.write({ a: "1" }))).toBeInstanceOf(
      MalformedAnswerError,
    );
  });
});

describe("read", () => {
  test("asks for aliases by query and gives back their values", async () => {
    const body = `engine_fetch=${encodeURIComponent(awkward)}&odd%20alias%26=a+b&update_interval=`;
    const server = await serve((_request, response) => answer(response, 200, body));
    const { values } = await connect(server.url).client.read([
      "engine_fetch",
      "odd alias&",
      "update_interval",
    ]);
    expect([...values]).toEqual([
      ["engine_fetch", awkward],
      ["odd alias&", "a b"],
      ["update_interval", ""],
    ]);
    expect(server.requests[0]).toMatchObject({
      method: "GET",
      url: "/onep:v1/stack/alias?engine_fetch&odd%20alias%26&update_interval",
    });
    expect(server.requests[0]?.headers.accept).toBe(formType);
  });

  test("204 means that none has a value", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    expect((await connect(server.url).client.read(["a"])).values.size).toBe(0);
  });

  test.each([
    ["a web page by its type", "a=1", "text/html"],
    ["a web page by its look", "<html><a href=?a=1>", "text/plain"],
    ["an alias that was not asked for", "b=1", formType],
    ["JSON", '{"error":"x"}', "application/json"],
    ["a bare word", "OK", formType],
  ])("%s is never taken for values", async (_what, body, type) => {
    const server = await serve((_request, response) => answer(response, 200, body, { "Content-Type": type }));
    const error = await rejection(connect(server.url).client.read(["a"]));
    expect(error).toBeInstanceOf(MalformedAnswerError);
    expect(error).toMatchObject({ status: 200, answer: body });
  });

  test("a redirect is not followed", async () => {
    const elsewhere = await serve((_request, response) => answer(response, 200, "a=1"));
    const server = await serve((_request, response) =>
      answer(response, 302, "", { Location: `${elsewhere.url}/login` }),
    );
    expect(await rejection(connect(server.url).client.read(["a"]))).toBeInstanceOf(MalformedAnswerError);
    expect(elsewhere.requests).toHaveLength(0);
  });

  test("an answer compressed against the request's word is refused", async () => {
    const server = await serve((_request, response) =>
      answer(response, 200, "a=1", { "Content-Encoding": "gzip" }),
    );
    expect(await rejection(connect(server.url).client.read(["a"]))).toBeInstanceOf(MalformedAnswerError);
  });
});

describe("writeRead", () => {
  test("writes and reads in one request", async () => {
    const server = await serve((_request, response) => answer(response, 200, "b=2"));
    const { values } = await connect(server.url).client.writeRead({ a: "1" }, ["b", "c"]);
    expect([...values]).toEqual([["b", "2"]]);
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      url: "/onep:v1/stack/alias?b&c",
      body: "a=1",
    });
  });

  test("with nothing to write is a read", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    await connect(server.url).client.writeRead({}, ["b"]);
    expect(server.requests[0]).toMatchObject({ method: "GET", body: "" });
  });
});

describe("longPoll", () => {
  test("tells a new value and where to go on from", async () => {
    const server = await serve((_request, response) =>
      answer(response, 200, "cmd=go", { "Last-Modified": "Mon, 01 Jan 2024 12:00:00 GMT" }),
    );
    const { client } = connect(server.url);
    const found = await client.longPoll("cmd", { timeoutMs: 900_000, sinceMs: 1_700_000_000_999 });
    expect(found).toMatchObject({ changed: true, value: "go", lastModifiedMs: Date.UTC(2024, 0, 1, 12) });
    expect(server.requests[0]).toMatchObject({ method: "GET", url: "/onep:v1/stack/alias?cmd" });
    expect(server.requests[0]?.headers).toMatchObject({
      "request-timeout": "300000",
      "if-modified-since": "1700000000",
    });
  });

  test("304 means that nothing came; without `since` the server's now counts", async () => {
    const server = await serve((_request, response) => answer(response, 304));
    const { client } = connect(server.url);
    expect(await client.longPoll("cmd", { timeoutMs: 1_000 })).toMatchObject({ changed: false });
    expect(server.requests[0]?.headers).toMatchObject({ "request-timeout": "1000" });
    expect(server.requests[0]?.headers).not.toHaveProperty("if-modified-since");
  });

  test("may be held for longer than the idle time-out", async () => {
    const server = await serve(async (_request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 120));
      answer(response, 200, "cmd=go");
    });
    const { client } = connect(server.url, { idleTimeoutMs: 50 });
    expect(await client.longPoll("cmd", { timeoutMs: 10_000 })).toMatchObject({ changed: true });
  });

  test("304 to a plain read is no answer", async () => {
    const server = await serve((_request, response) => answer(response, 304));
    expect(await rejection(connect(server.url).client.read(["a"]))).toBeInstanceOf(MalformedAnswerError);
  });
});

describe("record", () => {
  test("sends several series in one form, in order", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    await connect(server.url).client.record([
      {
        alias: "alias",
        points: [
          [100, "a&b"],
          [101, ""],
        ],
      },
      { alias: "none", points: [] },
      { alias: "two", points: [[100, "x"]] },
    ]);
    expect(server.requests[0]).toMatchObject({
      method: "POST",
      url: "/onep:v1/stack/record",
      body: "alias=alias&100=a%26b&101=&alias=two&100=x",
    });
  });

  test("the older form has the alias in its path", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    await connect(server.url).client.recordAlias("a/b c", [
      [100, "x"],
      [101, "y"],
    ]);
    expect(server.requests[0]).toMatchObject({
      url: "/onep:v1/stack/alias/a%2Fb%20c",
      body: "100=x&101=y",
    });
  });
});

describe("what the server would refuse anyway is not sent", () => {
  test.each([
    ["nothing to write", (c) => c.write({}), RejectedError],
    ["nothing to read", (c) => c.read([]), RejectedError],
    ["nothing to record", (c) => c.record([{ alias: "a", points: [] }]), RejectedError],
    ["half a second", (c) => c.record([{ alias: "a", points: [[1.5, "x"]] }]), RejectedError],
    ["an alias that is a step up the path", (c) => c.recordAlias("..", [[1, "x"]]), RejectedError],
    ["content of no vendor", (c) => c.as({ cik }).listContent(), RejectedError],
    ["no CIK", (c) => c.as({}).read(["a"]), UnauthorizedError],
    ["a CIK that is none", (c) => c.as({ cik: `${cik}\r\n` }).write({ a: "1" }), UnauthorizedError],
  ] satisfies [string, (client: ReturnType<typeof connect>["client"]) => Promise<unknown>, unknown][])(
    "%s",
    async (_what, call, kind) => {
      const server = await serve((_request, response) => answer(response, 204));
      const error = await rejection(call(connect(server.url).client));
      expect(error).toBeInstanceOf(kind);
      expect(error).toMatchObject({ status: undefined });
      expect(server.connections).toHaveLength(0);
    },
  );
});
