import { describe, expect, test } from "vitest";
import {
  MalformedAnswerError,
  NetworkError,
  RejectedError,
  UnauthorizedError,
} from "../../../src/device-client/index.ts";
import { answer, cik, connect, rejection } from "../../support/device-client-fixtures.ts";
import { listen, serve } from "../../support/device-client-wire-server.ts";

const json = { "Content-Type": "application/json; charset=utf-8" };

async function serveJson(body: unknown) {
  return await serve((_request, response) => answer(response, 200, JSON.stringify(body), json));
}

describe("rpc", () => {
  test("carries the CIK in the body alone and gives back results in the order of the calls", async () => {
    const server = await serveJson([
      { id: 2, status: "invalid", error: { message: "no such" } },
      { id: 1, status: "ok", result: { basic: { type: "client" } } },
    ]);
    const calls = [
      { procedure: "info", arguments: [{ alias: "" }, { basic: true }] },
      { procedure: "lookup", arguments: ["alias", "né"] },
    ];
    const results = await connect(server.url).client.rpc(calls, { clientId: "child" });
    expect(results).toEqual([
      { status: "ok", result: { basic: { type: "client" } } },
      { status: "invalid", error: { message: "no such" } },
    ]);
    const [request] = server.requests;
    expect(request).toMatchObject({ method: "POST", url: "/onep:v1/rpc/process" });
    expect(request?.headers).toMatchObject({ "content-type": json["Content-Type"] });
    expect(request?.headers).not.toHaveProperty("x-exosite-cik");
    expect(JSON.parse(request?.body ?? "")).toEqual({
      auth: { cik, client_id: "child" },
      calls: [
        { id: 1, ...calls[0] },
        { id: 2, ...calls[1] },
      ],
    });
  });

  test.each([
    ["too few results", []],
    [
      "a result twice",
      [
        { id: 1, status: "ok" },
        { id: 1, status: "ok" },
      ],
    ],
    ["a result of another call", [{ id: 7, status: "ok" }]],
    ["no status", [{ id: 1 }]],
    ["no list", { status: "ok" }],
  ])("%s is malformed", async (_what, body) => {
    const server = await serveJson(body);
    const call = connect(server.url).client.rpc([{ procedure: "info", arguments: [] }]);
    expect(await rejection(call)).toBeInstanceOf(MalformedAnswerError);
  });

  test("no JSON is malformed", async () => {
    const server = await serve((_request, response) => answer(response, 200, "[{", json));
    const call = connect(server.url).client.rpc([{ procedure: "info", arguments: [] }]);
    expect(await rejection(call)).toBeInstanceOf(MalformedAnswerError);
  });

  test("a failure as a whole is told by its code", async () => {
    const server = await serveJson({ error: { code: 401, message: "Invalid auth" } });
    const call = connect(server.url).client.rpc([{ procedure: "info", arguments: [] }]);
    expect(await rejection(call)).toBeInstanceOf(UnauthorizedError);
  });

  test("over a stale connection is repeated only when every call may be", async () => {
    const seen: string[] = [];
    const server = await listen((socket) => {
      let requests = 0;
      socket.on("data", (data) => {
        const isRpc = data.includes("/rpc/process");
        if (isRpc) seen.push(data.includes('"write"') ? "write" : "read");
        if (++requests > 1) socket.resetAndDestroy();
        else if (!isRpc) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n[{"id":1,"status":"ok"}]');
      });
    });
    const { client } = connect(server.url);
    await client.read(["a"]);
    await client.rpc([{ procedure: "info", arguments: [] }]);
    const write = client.rpc([{ procedure: "write", arguments: [{ alias: "a" }, "1"] }]);
    expect(await rejection(write)).toBeInstanceOf(NetworkError);
    expect(seen).toEqual(["read", "read", "write"]);
  });
});

describe("readHistory", () => {
  test("is an RPC read; numbers become texts", async () => {
    const points = [
      [100, "x&y"],
      [101, 21.5],
      [102, true],
    ];
    const server = await serveJson([{ id: 1, status: "ok", result: points }]);
    const { client } = connect(server.url);
    expect(await client.readHistory("engine_fetch", { startTime: 90 })).toEqual([
      [100, "x&y"],
      [101, "21.5"],
      [102, "true"],
    ]);
    const { calls } = JSON.parse(server.requests[0]?.body ?? "");
    expect(calls).toEqual([
      {
        id: 1,
        procedure: "read",
        arguments: [{ alias: "engine_fetch" }, { starttime: 90, limit: 1000, sort: "asc", selection: "all" }],
      },
    ]);
  });

  test.each([
    ["a call that failed", [{ id: 1, status: "invalid" }], RejectedError],
    ["points of another shape", [{ id: 1, status: "ok", result: [{ t: 1 }] }], MalformedAnswerError],
  ])("%s", async (_what, body, kind) => {
    const server = await serveJson(body);
    expect(await rejection(connect(server.url).client.readHistory("a"))).toBeInstanceOf(kind);
  });

  test.each([404, 405, 501])("is rejected where RPC is not served (%i)", async (status) => {
    const server = await serve((_request, response) => answer(response, status, "<html>no</html>"));
    expect(await rejection(connect(server.url).client.readHistory("a"))).toBeInstanceOf(RejectedError);
  });
});
