import { describe, expect, test } from "vitest";
import type { AuditedExchange } from "../../../src/device-client/index.ts";
import { type Authority, createAuthority } from "../../support/device-client-certificates.ts";
import { answer, connect, rejection } from "../../support/device-client-fixtures.ts";
import { serve, until } from "../../support/device-client-wire-server.ts";

const authority: Authority = createAuthority("GWE test authority");
const tls = authority.issue("loopback", "IP:127.0.0.1");

function total(exchanges: readonly AuditedExchange[]): { fromClient: number; toClient: number } {
  return {
    fromClient: exchanges.reduce((sum, { bytesSent }) => sum + bytesSent, 0),
    toClient: exchanges.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0),
  };
}

describe("audited bytes equal those that the server's raw sockets saw", () => {
  test.each([
    ["http", undefined],
    ["https", tls],
  ])("%s: calls in a row, at once, failed and repeated", async (scheme, material) => {
    let count = 0;
    const server = await serve((request, response) => {
      if (request.method === "POST") answer(response, 204);
      else answer(response, ++count % 3 === 0 ? 500 : 200, `a=${"x".repeat(count * 1_000)}`);
    }, material);
    const baseUrl = `${scheme}://127.0.0.1:${server.port}`;
    const { client, exchanges } = connect(baseUrl, { ca: authority.cert, maxAnswerBytes: 50_000 });
    for (let round = 0; round < 6; round++) {
      await Promise.allSettled([
        client.write({ a: "y".repeat(round * 500) }),
        client.read(["a"]),
        client.read(["a"]),
      ]);
      await until(() => total(exchanges).fromClient === server.counters().fromClient);
      expect(total(exchanges)).toEqual(server.counters());
    }
    expect(exchanges).toHaveLength(18);
    expect(server.connections).toHaveLength(3);
    expect(exchanges.every(({ localAddress }) => localAddress === "127.0.0.1")).toBe(true);
    expect(exchanges.every(({ durationMs }) => durationMs > 0)).toBe(true);
  });

  test("each call gets its own bytes, to the byte", async () => {
    const server = await serve((_request, response) => answer(response, 204));
    const { client, exchanges } = connect(server.url);
    const seen: { fromClient: number; toClient: number }[] = [{ fromClient: 0, toClient: 0 }];
    for (const size of [1, 10_000, 100]) {
      await client.write({ a: "x".repeat(size) });
      seen.push(server.counters());
    }
    expect(exchanges.map(({ bytesSent, bytesReceived }) => ({ bytesSent, bytesReceived }))).toEqual(
      seen.slice(1).map((after, index) => ({
        bytesSent: after.fromClient - (seen[index]?.fromClient ?? 0),
        bytesReceived: after.toClient - (seen[index]?.toClient ?? 0),
      })),
    );
  });

  test("a TLS handshake counts, and a resumed one is smaller", async () => {
    const server = await serve((_request, response) => {
      answer(response, 204, "", { Connection: "close" });
    }, tls);
    const { client, exchanges } = connect(`https://127.0.0.1:${server.port}`, { ca: authority.cert });
    await client.write({ a: "1" });
    await client.write({ a: "1" });
    expect(server.connections).toHaveLength(2);
    const [full, resumed] = exchanges;
    expect(full?.bytesReceived).toBeGreaterThan(800);
    expect(resumed?.bytesReceived).toBeLessThan((full?.bytesReceived ?? 0) - 300);
  });

  test("a handshake that failed is counted too", async () => {
    const server = await serve((_request, response) => answer(response, 204), tls);
    const { client, exchanges } = connect(`https://127.0.0.1:${server.port}`, {
      ca: createAuthority("another").cert,
    });
    await rejection(client.write({ a: "1" }));
    expect(exchanges).toMatchObject([{ status: undefined, localAddress: "127.0.0.1" }]);
    expect(exchanges[0]?.bytesSent).toBeGreaterThan(200);
    expect(exchanges[0]?.bytesReceived).toBeGreaterThan(500);
  });
});
