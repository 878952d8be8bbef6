import { describe, expect, test } from "vitest";
import { ClientClosedError, NetworkError, TimeoutError } from "../../../src/device-client/index.ts";
import { answer, cik, connect, rejection } from "../../support/device-client-fixtures.ts";
import { listen, serve, until } from "../../support/device-client-wire-server.ts";

const ok = "HTTP/1.1 204 No Content\r\n\r\n";

describe("kept-alive connections", () => {
  test("one carries all requests in a row, of all identities", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    const { client, exchanges } = connect(server.url, { consumer: "gwe" });
    const sibling = client.as({ cik: cik.toUpperCase(), consumer: "meter" });
    for (let round = 0; round < 3; round++) {
      await client.write({ a: "1" });
      await sibling.read(["a"]);
    }
    expect(server.connections).toHaveLength(1);
    expect(server.requests.map(({ headers }) => headers["x-exosite-cik"])).toEqual(
      Array.from({ length: 3 }, () => [cik, cik.toUpperCase()]).flat(),
    );
    expect(exchanges.map(({ consumer, procedure }) => `${consumer}:${procedure}`)).toEqual(
      Array.from({ length: 3 }, () => ["gwe:write", "meter:read"]).flat(),
    );
    expect(exchanges.map(({ reusedConnection }) => reusedConnection)).toEqual([
      false,
      ...Array(5).fill(true),
    ]);
  });

  test("requests at the same time get one each, and leave them for later", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    const { client } = connect(server.url);
    await Promise.all(Array.from({ length: 4 }, () => client.write({ a: "1" })));
    await Promise.all(Array.from({ length: 4 }, () => client.write({ a: "1" })));
    expect(server.connections).toHaveLength(4);
  });

  test("what carries an error's answer is kept too", async () => {
    const server = await serve((_request, response) => answer(response, 400, "no"));
    const { client } = connect(server.url);
    for (let round = 0; round < 3; round++) await rejection(client.write({ a: "1" }));
    expect(server.connections).toHaveLength(1);
  });

  test("an unused one is closed after keepAliveMs", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    await connect(server.url, { keepAliveMs: 30 }).client.write({ a: "1" });
    await until(() => server.connections[0]?.destroyed === true);
  });

  test("the current CIK is asked for at each call", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    let current = cik;
    const { client } = connect(server.url, { cik: () => current });
    await client.write({ a: "1" });
    current = cik.toUpperCase();
    await client.write({ a: "1" });
    expect(server.requests.map(({ headers }) => headers["x-exosite-cik"])).toEqual([cik, cik.toUpperCase()]);
  });
});

describe("a kept-alive connection that the server closed meanwhile", () => {
  /** Answers the first request of its first connection; hangs up at the second one without an answer. */
  async function serveStale(): Promise<{ url: string; received: string[]; connections: unknown[] }> {
    const received: string[] = [];
    const server = await listen((socket, index) => {
      let requests = 0;
      socket.on("data", (data) => {
        received.push(data.toString().slice(0, 4));
        requests++;
        if (index === 0 && requests > 1) socket.resetAndDestroy();
        else socket.write(ok);
      });
    });
    return { url: server.url, received, connections: server.connections };
  }

  test("costs a read nothing but another connection", async () => {
    const server = await serveStale();
    const { client, exchanges } = connect(server.url);
    await client.write({ a: "1" });
    expect((await client.read(["a"])).values.size).toBe(0);
    expect(server.received).toEqual(["POST", "GET ", "GET "]);
    expect(server.connections).toHaveLength(2);
    expect(exchanges.map(({ procedure, status }) => [procedure, status])).toEqual([
      ["write", 204],
      ["read", undefined],
      ["read", 204],
    ]);
  });

  test("is not risked twice with a write, which the server may have acted on", async () => {
    const server = await serveStale();
    const { client } = connect(server.url);
    await client.read(["a"]);
    const error = await rejection(client.write({ a: "1" }));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ requestSent: true });
    expect(server.received).toEqual(["GET ", "POST"]);
  });

  test("takes its idle companions with it", async () => {
    const server = await listen((socket) => {
      let requests = 0;
      socket.on("data", () => (++requests > 1 ? socket.resetAndDestroy() : socket.write(ok)));
    });
    const { client } = connect(server.url);
    await Promise.all([client.read(["a"]), client.read(["a"]), client.read(["a"])]);
    await client.read(["a"]);
    expect(server.connections).toHaveLength(4);
    await until(() => server.connections.slice(0, 3).every((socket) => socket.destroyed));
  });

  test("gives up when the fresh one breaks as well", async () => {
    const server = await listen((socket, index) => {
      let requests = 0;
      socket.on("data", () => (index > 0 || ++requests > 1 ? socket.resetAndDestroy() : socket.write(ok)));
    });
    const { client } = connect(server.url);
    await client.read(["a"]);
    expect(await rejection(client.read(["a"]))).toBeInstanceOf(NetworkError);
    expect(server.connections).toHaveLength(2);
  });
});

describe("time-outs", () => {
  test("no byte of an answer", async () => {
    const server = await serve(() => undefined);
    const { client, exchanges } = connect(server.url, { idleTimeoutMs: 50 });
    const error = await rejection(client.write({ a: "1" }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ phase: "idle", requestSent: true, context: { limitMs: 50 } });
    await until(() => server.connections[0]?.destroyed === true);
    expect(exchanges).toHaveLength(1);
  });

  test("an activation waits longer: its answer comes only once", async () => {
    const server = await serve(() => undefined);
    const { client } = connect(server.url, { idleTimeoutMs: 50 });
    const error = await rejection(client.activate({ id: "serial" }));
    expect(error).toMatchObject({ code: "TIMEOUT", phase: "idle", context: { limitMs: 200 } });
  });

  test("a body that stalls", async () => {
    const server = await listen((socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na=1"));
    });
    const error = await rejection(connect(server.url, { idleTimeoutMs: 50 }).client.read(["a"]));
    expect(error).toMatchObject({ code: "TIMEOUT", phase: "idle" });
  });

  test("a body that trickles is not idle", async () => {
    const server = await serve(async (_request, response) => {
      response.writeHead(200, { "Content-Length": "8" });
      for (const byte of "a=123456") {
        response.write(byte);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      response.end();
    });
    const { values } = await connect(server.url, { idleTimeoutMs: 1_500 }).client.read(["a"]);
    expect(values.get("a")).toBe("123456");
  });

  test("a server that accepts nothing", async () => {
    // Accepts TCP (the kernel does) but never answers the TLS greeting.
    const server = await listen((socket) => socket.resume());
    const { client } = connect(`https://127.0.0.1:${server.port}`, { connectTimeoutMs: 50 });
    const error = await rejection(client.write({ a: "1" }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ phase: "connect", requestSent: false });
    await until(() => server.connections[0]?.destroyed === true);
  });

  test("a big request has more patience: a slow uplink may still be sending it", async () => {
    const server = await serve(async (_request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      answer(response, 204);
    });
    const { client } = connect(server.url, { idleTimeoutMs: 50 });
    await client.write({ a: "x".repeat(2_000) });
    expect(await rejection(client.write({ a: "x" }))).toBeInstanceOf(TimeoutError);
  });
});

describe("an abort", () => {
  const reason = { any: "reason" };

  test("before the call sends nothing", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    const { client, exchanges } = connect(server.url);
    expect(await rejection(client.write({ a: "1" }, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(server.connections).toHaveLength(0);
    expect(exchanges).toHaveLength(0);
  });

  test("while connecting", async () => {
    const server = await listen((socket) => socket.resume());
    const { client } = connect(`https://127.0.0.1:${server.port}`);
    const controller = new AbortController();
    const call = rejection(client.write({ a: "1" }, { signal: controller.signal }));
    await until(() => server.connections.length === 1);
    controller.abort(reason);
    expect(await call).toBe(reason);
    await until(() => server.connections[0]?.destroyed === true);
  });

  test("while waiting for the answer, even with no reason worth the name", async () => {
    const server = await serve(() => undefined);
    const { client, exchanges } = connect(server.url);
    const controller = new AbortController();
    const options = { signal: controller.signal, timeoutMs: 60_000 };
    const call = rejection(client.longPoll("a", options));
    await until(() => server.requests.length === 1);
    controller.abort(null);
    expect(await call).toBeNull();
    await until(() => server.connections[0]?.destroyed === true);
    expect(exchanges).toMatchObject([{ procedure: "longPoll", status: undefined }]);
    expect(exchanges[0]?.bytesSent).toBeGreaterThan(100);
  });

  test("in the middle of an answer", async () => {
    const controller = new AbortController();
    const server = await listen((socket) => {
      socket.on("data", () => socket.write("HTTP/1.1 500 Oh\r\nContent-Length: 10\r\n\r\na=1"));
    });
    const { client, exchanges } = connect(server.url, { audit: () => undefined });
    const call = rejection(client.read(["a"], { signal: controller.signal }));
    await until(() => (server.connections[0]?.bytesWritten ?? 0) > 0);
    controller.abort(reason);
    expect(await call).toBe(reason);
    expect(exchanges).toHaveLength(0);
  });

  test("after the call changes nothing and leaves no listener", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    const { client } = connect(server.url);
    const controller = new AbortController();
    await client.write({ a: "1" }, { signal: controller.signal });
    controller.abort(reason);
    await client.write({ a: "1" });
    expect(server.connections).toHaveLength(1);
  });
});

describe("close", () => {
  test("ends running calls, refuses later ones and closes every connection", async () => {
    const server = await serve((request, response) => {
      if (request.method === "POST") answer(response, 204);
    });
    const { client } = connect(server.url);
    const sibling = client.as({ cik });
    await Promise.all([client.write({ a: "1" }), sibling.write({ a: "1" })]);
    const running = rejection(sibling.read(["a"]));
    await until(() => server.requests.length === 3);
    client.close();
    expect(await running).toBeInstanceOf(ClientClosedError);
    expect(await rejection(client.write({ a: "1" }))).toBeInstanceOf(ClientClosedError);
    await until(() => server.connections.every((socket) => socket.destroyed));
  });
});
