import { describe, expect, test } from "vitest";
import {
  DeviceClientOptionsError,
  type Download,
  type DownloadRequest,
  MalformedAnswerError,
  NetworkError,
  RejectedError,
  TimeoutError,
} from "../../../src/device-client/index.ts";
import { connect, rejection } from "../../support/device-client-fixtures.ts";
import { listen, serve, serveRaw, until } from "../../support/device-client-wire-server.ts";

const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));

/** Serves ranges of `content`, as the Device API does. */
async function serveContent() {
  return await serve((request, response) => {
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    const type = { "Content-Type": "application/gzip", "Accept-Ranges": "bytes" };
    if (range === null) {
      response.writeHead(200, { ...type, "Content-Length": content.length }).end(content);
      return;
    }
    const first = Number(range[1]);
    const last = range[2] ? Number(range[2]) : content.length - 1;
    if (first >= content.length) {
      response.writeHead(416, { "Content-Range": `bytes */${content.length}` }).end();
      return;
    }
    const part = content.subarray(first, last + 1);
    const contentRange = `bytes ${first}-${last}/${content.length}`;
    response
      .writeHead(206, { ...type, "Content-Range": contentRange, "Content-Length": part.length })
      .end(part);
  });
}

async function collect(download: Download): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of download.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("download", () => {
  test("brings the whole, and keeps the connection", async () => {
    const server = await serveContent();
    const { client, exchanges } = connect(server.url);
    for (let round = 0; round < 2; round++) {
      const download = await client.download({ id: "a&b.tar.gz" });
      expect(download).toMatchObject({ offset: 0, totalBytes: 300_000, contentType: "application/gzip" });
      expect((await collect(download)).equals(content)).toBe(true);
    }
    expect(server.requests[0]?.url).toBe("/provision/download?vendor=pid&model=pid&id=a%26b.tar.gz");
    expect(server.requests[0]?.headers).not.toHaveProperty("range");
    expect(server.connections).toHaveLength(1);
    expect(exchanges).toMatchObject([{ procedure: "download", status: 200 }, { status: 200 }]);
    expect(exchanges.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0)).toBe(
      server.counters().toClient,
    );
  });

  test.each([
    [{ id: "x", offset: 100 }, 100, 300_000],
    [{ id: "x", offset: 100, end: 199 }, 100, 200],
    [{ id: "x", offset: 0, end: 0 }, 0, 1],
    [{ id: "x", end: 9 }, 0, 10],
  ] satisfies [DownloadRequest, number, number][])("brings the part %j", async (request, first, end) => {
    const server = await serveContent();
    const download = await connect(server.url).client.download(request);
    expect(download).toMatchObject({ offset: first, totalBytes: 300_000 });
    expect((await collect(download)).equals(content.subarray(first, end))).toBe(true);
  });

  test("says so when the server ignores the range", async () => {
    const server = await serve((_request, response) => void response.end(content));
    const download = await connect(server.url).client.download({ id: "x", offset: 1_000 });
    expect(download.offset).toBe(0);
    expect((await collect(download)).equals(content)).toBe(true);
  });

  test("of nothing", async () => {
    const server = await serve((_request, response) => void response.writeHead(204).end());
    const download = await connect(server.url).client.download({ id: "x" });
    expect(download).toMatchObject({ offset: 0, totalBytes: 0 });
    expect(await collect(download)).toHaveLength(0);
  });

  test("from behind the end is rejected, with the size", async () => {
    const server = await serveContent();
    const error = await rejection(connect(server.url).client.download({ id: "x", offset: 300_000 }));
    expect(error).toBeInstanceOf(RejectedError);
    expect(error).toMatchObject({ status: 416, context: { totalBytes: 300_000 } });
  });

  test("keeps the bytes of a tarball that the server calls gzip-encoded", async () => {
    const server = await serve(
      (_request, response) => void response.writeHead(200, { "Content-Encoding": "gzip" }).end(content),
    );
    const download = await connect(server.url).client.download({ id: "x" });
    expect((await collect(download)).equals(content)).toBe(true);
  });
});

describe("a download that goes wrong", () => {
  const head = (lines: string): string => `HTTP/1.1 ${lines}\r\n\r\n`;

  test.each([
    ["another start", "206 P\r\nContent-Range: bytes 6-9/10\r\nContent-Length: 4"],
    ["more than was asked for", "206 P\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5"],
    ["no range", "206 P\r\nContent-Length: 4"],
  ])("a part with %s is refused", async (_what, lines) => {
    const server = await serveRaw(head(lines));
    const { client } = connect(server.url);
    const error = await rejection(client.download({ id: "x", offset: 5, end: 8 }));
    expect(error).toBeInstanceOf(MalformedAnswerError);
    await until(() => server.connections[0]?.readableEnded === true);
  });

  test.each([
    ["less", "abc"],
    ["more", "abcdefgh"],
  ])("a part that holds %s than its range says is not taken for whole", async (_what, bytes) => {
    const lines = `206 P\r\nContent-Range: bytes 5-9/10\r\nContent-Length: ${bytes.length}`;
    const server = await serveRaw(head(lines) + bytes);
    const download = await connect(server.url).client.download({ id: "x", offset: 5 });
    expect(await rejection(collect(download))).toBeInstanceOf(MalformedAnswerError);
  });

  test("a part that nobody asked for is refused", async () => {
    const server = await serveRaw(
      `${head("206 P\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5")}abcde`,
    );
    const error = await rejection(connect(server.url).client.download({ id: "x" }));
    expect(error).toBeInstanceOf(MalformedAnswerError);
  });

  test("a cut body brings what came, then the error", async () => {
    const server = await serveRaw(`${head("200 OK\r\nContent-Length: 10")}abc`, (socket) => socket.end());
    const { client, exchanges } = connect(server.url);
    const download = await client.download({ id: "x" });
    const received: string[] = [];
    const error = await rejection(
      (async () => {
        for await (const chunk of download.body) received.push(Buffer.from(chunk).toString());
      })(),
    );
    expect(received.join("")).toBe("abc");
    expect(error).toBeInstanceOf(NetworkError);
    expect(exchanges).toMatchObject([{ status: 200, bytesReceived: server.counters().toClient }]);
  });

  test("a stalled body is a time-out; a slow reader is none", async () => {
    const stalled = await serveRaw(`${head("200 OK\r\nContent-Length: 10")}abc`);
    const limits = { idleTimeoutMs: 500 };
    const download = await connect(stalled.url, limits).client.download({ id: "x" });
    expect(await rejection(collect(download))).toBeInstanceOf(TimeoutError);
    const server = await serveContent();
    const slow = await connect(server.url, limits).client.download({ id: "x" });
    let receivedBytes = 0;
    for await (const chunk of slow.body) {
      if (receivedBytes === 0) await new Promise((resolve) => setTimeout(resolve, 550));
      receivedBytes += chunk.length;
    }
    expect(receivedBytes).toBe(content.length);
  });

  test("an abort in the middle throws its reason and closes the connection", async () => {
    const server = await serveRaw(`${head("200 OK\r\nContent-Length: 10")}abc`);
    const controller = new AbortController();
    const { client } = connect(server.url);
    const download = await client.download({ id: "x" }, { signal: controller.signal });
    const collecting = rejection(collect(download));
    controller.abort("enough");
    expect(await collecting).toBe("enough");
    await until(() => server.connections[0]?.readableEnded === true);
  });

  test("leaving the loop early closes the connection and is audited", async () => {
    const server = await listen((socket) => {
      socket.on("data", () =>
        socket.write(Buffer.concat([Buffer.from(head("200 OK\r\nContent-Length: 9000000")), content])),
      );
    });
    const { client, exchanges } = connect(server.url);
    const download = await client.download({ id: "x" });
    for await (const chunk of download.body) if (chunk.length > 0) break;
    expect(exchanges).toMatchObject([{ procedure: "download", status: 200 }]);
    await until(() => server.connections[0]?.destroyed === true);
  });

  test("may have an idle time-out of its own, longer or shorter than the client's", async () => {
    const stalled = await serveRaw(`${head("200 OK\r\nContent-Length: 10")}abc`);
    const { client } = connect(stalled.url, { idleTimeoutMs: 60_000 });
    const download = await client.download({ id: "x", idleTimeoutMs: 50 });
    expect(await rejection(collect(download))).toMatchObject({
      code: "TIMEOUT",
      phase: "idle",
      context: { limitMs: 50 },
    });
    const patient = await serve(async (_request, response) => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      response.end("late");
    });
    const hasty = connect(patient.url, { idleTimeoutMs: 50 }).client;
    const late = await hasty.download({ id: "x", idleTimeoutMs: 10_000 });
    expect((await collect(late)).toString()).toBe("late");
    expect(await rejection(client.download({ id: "x", idleTimeoutMs: 0 }))).toBeInstanceOf(
      DeviceClientOptionsError,
    );
  });

  test("a body that nobody reads is given up after the idle time-out", async () => {
    const server = await serveRaw(`${head("200 OK\r\nContent-Length: 10")}abc`);
    const { client, exchanges } = connect(server.url, { idleTimeoutMs: 50 });
    const download = await client.download({ id: "x" });
    await until(() => server.connections[0]?.readableEnded === true);
    expect(exchanges).toHaveLength(1);
    expect(await rejection(collect(download))).toBeInstanceOf(TimeoutError);
  });

  test("a body that came in full waits for its reader, its connection serving others meanwhile", async () => {
    const server = await serve((_request, response) => void response.end("abc"));
    const { client, exchanges } = connect(server.url, { idleTimeoutMs: 250 });
    const controller = new AbortController();
    const download = await client.download({ id: "x" }, { signal: controller.signal });
    await until(() => exchanges.length === 1);
    controller.abort();
    for (let round = 0; round < 3; round++) await collect(await client.download({ id: "y" }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await collect(download)).toString()).toBe("abc");
    expect(server.connections).toHaveLength(1);
    expect(server.connections[0]?.destroyed).toBe(false);
  });
});
