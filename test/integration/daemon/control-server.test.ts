import { statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { AppStatus } from "../../../src/core/app-status.ts";
import { silentLogger } from "../../../src/core/logger.ts";
import { ControlRequestError } from "../../../src/daemon/control-error.ts";
import { ControlServer, type ControlTarget } from "../../../src/daemon/control-server.ts";
import { engineStatus } from "../../support/control-server.ts";
import { temporaryDirectory } from "../../support/temp-directory.ts";

const meter: AppStatus = {
  name: "meter",
  version: "1",
  kind: "long-running",
  state: "RUNNING",
  sinceMs: 0,
  restarts: 0,
};

async function serve(overrides: Partial<ControlTarget> = {}) {
  const socketPath = join(temporaryDirectory(), "gwe.sock");
  // A leftover of an engine that was killed.
  writeFileSync(socketPath, "");
  const calls: unknown[] = [];
  const status = engineStatus();
  const server = new ControlServer({
    socketPath,
    groupId: undefined,
    queue: undefined,
    logger: silentLogger,
    target: {
      status: async () => status,
      changeApp: async (name, change) => {
        calls.push([name, change]);
        if (name !== "meter") throw new ControlRequestError(404, "UNKNOWN_APP", "no such app");
        return meter;
      },
      checkInNow: () => calls.push("check-in"),
      install: async (files) => {
        calls.push(files);
        return [];
      },
      remove: async (name) => ({ name, version: "1", status: "removed", exitCode: null, output: "" }),
      history: () => [],
      processes: { processes: () => [] } as unknown as ControlTarget["processes"],
      ...overrides,
    },
  });
  const maskBefore = process.umask();
  await server.start();
  expect(process.umask()).toBe(maskBefore);
  onTestFinished(() => server.stop());
  const ask = (method: string, path: string, body?: string): Promise<{ status: number; body: unknown }> =>
    new Promise((resolve, reject) => {
      const call = request({ socketPath, method, path }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
      });
      call.once("error", reject);
      call.end(body);
    });
  return { socketPath, server, calls, ask, status };
}

const codeOf = (body: unknown): string => (body as { error: { code: string } }).error.code;

describe("the control socket", () => {
  it("is for its owner and group alone", async () => {
    const { socketPath } = await serve();
    expect(statSync(socketPath).mode & 0o777).toBe(0o660);
  });

  it("answers the calls of gwe", async () => {
    const { ask, calls, status } = await serve();
    expect(await ask("GET", "/status")).toEqual({ status: 200, body: status });
    expect(await ask("POST", "/apps/meter/restart")).toEqual({ status: 200, body: meter });
    expect((await ask("POST", "/check-in")).status).toBe(202);
    expect((await ask("POST", "/install", '{"files":["/a.v1.tar.gz"]}')).status).toBe(200);
    expect(calls).toEqual([["meter", "restart"], "check-in", ["/a.v1.tar.gz"]]);
  });

  it.each([
    ["GET", "/nothing", 404, "NO_SUCH_CALL"],
    ["GET", "/apps/meter/restart", 404, "NO_SUCH_CALL"],
    ["POST", "/apps/meter/explode", 404, "NO_SUCH_CALL"],
    ["POST", "/apps/..%2F..%2Fetc/start", 404, "UNKNOWN_APP"],
    ["POST", "/apps/%E0%A4%A/start", 400, "BAD_REQUEST"],
    ["POST", "//host/apps", 404, "NO_SUCH_CALL"],
  ])("refuses %s %s with %i %s", async (method, path, status, code) => {
    const answer = await (await serve()).ask(method, path);
    expect([answer.status, codeOf(answer.body)]).toEqual([status, code]);
  });

  it.each(["", "no json", "{}", '{"files":[]}', '{"files":["relative.tar.gz"]}'])(
    "refuses the installation %j, saying what it expects",
    async (body) => {
      const answer = await (await serve()).ask("POST", "/install", body);
      expect([answer.status, codeOf(answer.body)]).toEqual([400, "BAD_REQUEST"]);
    },
  );

  it("answers a body without end in sight, and keeps none of it", async () => {
    const answer = await (await serve()).ask("POST", "/install", "x".repeat(5_000_000));
    expect([answer.status, codeOf(answer.body)]).toEqual([413, "TOO_LARGE"]);
  });

  it("tells an unexpected failure and goes on", async () => {
    const { ask } = await serve({ status: () => Promise.reject(new RangeError("disk I/O error")) });
    expect((await ask("GET", "/status")).status).toBe(500);
    expect((await ask("POST", "/check-in")).status).toBe(202);
  });

  it("stops at once though clients stall, and leaves no socket", async () => {
    const { socketPath, server } = await serve();
    const stalled = connect(socketPath);
    await new Promise((resolve) => stalled.once("connect", resolve));
    stalled
      .on("error", () => undefined)
      .write("POST /install HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n");
    const closed = new Promise((resolve) => stalled.once("close", resolve));
    await server.stop();
    await closed;
    expect(statSync(socketPath, { throwIfNoEntry: false })).toBeUndefined();
  });
});
