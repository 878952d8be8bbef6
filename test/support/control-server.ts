import { mkdirSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { dirname } from "node:path";
import type { AppStatus } from "../../src/core/app-status.ts";
import type { EngineStatus, JobStatus } from "../../src/core/control-api.ts";

/** A status with everything in it, for tests that look at one part. */
export function engineStatus(
  given: { nowMs?: number; jobs?: readonly JobStatus[]; apps?: readonly AppStatus[] } = {},
): EngineStatus {
  const nowMs = given.nowMs ?? Date.now();
  return {
    engine: { version: "0.1.0", pid: 4711, startedAtMs: nowMs - 200_000_000, home: null },
    device: {
      vendor: "abc",
      model: "abc",
      serial: "FF:10:C2:9B:A8:46",
      server: "https://abc.m2.exosite.io",
      activated: true,
    },
    checkIn: {
      mode: "interval",
      intervalS: 14_400,
      lastSuccessAtMs: nowMs - 192_000,
      nextAtMs: nowMs + 14_208_000,
      lastError: "connect ECONNREFUSED",
    },
    clock: { nowMs, trustedBy: "system", wallErrorMs: 0 },
    outbox: { waiting: 2 },
    jobs: given.jobs ?? [],
    apps: given.apps ?? [],
  };
}

export interface ControlRequest {
  readonly call: string;
  readonly body: string;
}

export interface ControlServer extends AsyncDisposable {
  /** What was asked, in order: `POST /apps/meter/stop`. */
  readonly requests: readonly ControlRequest[];
}

/** Answers on an engine's control socket as a test wants it: call → status and body. */
export async function controlServer(
  socketPath: string,
  answer: (
    request: ControlRequest,
    response: ServerResponse,
  ) => { status: number; body: unknown } | undefined,
): Promise<ControlServer> {
  const requests: ControlRequest[] = [];
  mkdirSync(dirname(socketPath), { recursive: true });
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const request = { call: `${incoming.method} ${incoming.url}`, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      const answered = answer(request, response);
      if (answered === undefined) return;
      response.writeHead(answered.status, { "content-type": "application/json" });
      response.end(typeof answered.body === "string" ? answered.body : JSON.stringify(answered.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  return {
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
