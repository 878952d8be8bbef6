import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { NetworkError, TimeoutError } from "../../../src/device-client/index.ts";
import { createAuthority } from "../../support/device-client-certificates.ts";
import { answer, cik, connect, rejection } from "../../support/device-client-fixtures.ts";
import { serveProxy } from "../../support/device-client-proxy.ts";
import { serve, until } from "../../support/device-client-wire-server.ts";

const authority = createAuthority("GWE test authority");
const murano = authority.issue("murano", "DNS:murano.test");
const loopback = authority.issue("loopback", "IP:127.0.0.1");
const basic = `Basic ${Buffer.from("me:hunter2").toString("base64")}`;
const withLogin = (url: string): string => url.replace("://", "://me:hunter2@");

describe("a server behind a proxy", () => {
  test.each([
    ["http", undefined],
    ["https", loopback],
  ])("https: through a tunnel of an %s proxy, TLS end to end, kept alive, counted", async (_scheme, tls) => {
    const server = await serve((_request, response) => answer(response, 200, "a=1"), murano);
    const proxy = await serveProxy({ targetPort: server.port, ...(tls !== undefined && { tls }) });
    const { client, exchanges } = connect("https://murano.test:8443", {
      ca: authority.cert,
      proxyEnvironment: { HTTPS_PROXY: withLogin(proxy.url) },
    });
    for (let round = 0; round < 3; round++) expect((await client.read(["a"])).values.get("a")).toBe("1");
    expect(proxy.asked).toEqual([{ line: "CONNECT murano.test:8443", authorization: basic }]);
    expect(server.requests[0]?.headers).toMatchObject({ host: "murano.test:8443", "x-exosite-cik": cik });
    expect(server.requests[0]?.headers).not.toHaveProperty("proxy-authorization");
    const sum = (key: "bytesSent" | "bytesReceived") => exchanges.reduce((all, one) => all + one[key], 0);
    expect({ fromClient: sum("bytesSent"), toClient: sum("bytesReceived") }).toEqual(proxy.counters());
  });

  test("http: by whole addresses, each with the login", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    const proxy = await serveProxy({ targetPort: server.port });
    const { client } = connect("http://murano.test", {
      proxyEnvironment: { http_proxy: withLogin(proxy.url) },
    });
    await client.write({ a: "1" });
    await client.read(["a b"]);
    expect(proxy.connections).toHaveLength(1);
    expect(proxy.asked).toEqual([
      { line: "POST http://murano.test/onep:v1/stack/alias", authorization: basic },
      { line: "GET http://murano.test/onep:v1/stack/alias?a%20b", authorization: basic },
    ]);
    expect(server.requests[0]).toMatchObject({ body: "a=1", headers: { host: "murano.test" } });
  });

  test("is not asked for what NO_PROXY names", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    const proxy = await serveProxy({ targetPort: server.port });
    await connect(server.url, { proxyEnvironment: { HTTP_PROXY: proxy.url } }).client.write({ a: "1" });
    expect(proxy.connections).toHaveLength(0);
  });

  test.each([
    ["https://murano.test", "PROXY_REFUSED"],
    ["http://murano.test", undefined],
  ])("that refuses: nothing was sent to %s, and the login is in no error", async (baseUrl, code) => {
    const proxy = await serveProxy({ targetPort: 1, refuse: 407 });
    const environment = { HTTPS_PROXY: withLogin(proxy.url), HTTP_PROXY: withLogin(proxy.url) };
    const error = await rejection(
      connect(baseUrl, { proxyEnvironment: environment }).client.write({ a: "1" }),
    );
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ requestSent: false });
    if (code !== undefined) expect(error).toMatchObject({ context: { code } });
    const shown = inspect(error, { depth: 9, showHidden: true });
    expect(shown).not.toContain("hunter2");
    expect(shown).not.toContain(basic);
  });

  test("that never answers: the time-out is a connect time-out, and its connection is closed", async () => {
    const proxy = await serveProxy({ targetPort: 1, hang: true });
    const { client } = connect("https://murano.test", {
      connectTimeoutMs: 80,
      proxyEnvironment: { HTTPS_PROXY: proxy.url },
    });
    const error = await rejection(client.write({ a: "1" }));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ phase: "connect", requestSent: false });
    await until(() => proxy.connections[0]?.destroyed === true);
  });

  test("that is not there", async () => {
    const { client } = connect("https://murano.test", { proxyEnvironment: { HTTPS_PROXY: "127.0.0.1:1" } });
    expect(await rejection(client.write({ a: "1" }))).toMatchObject({ context: { code: "ECONNREFUSED" } });
  });
});
