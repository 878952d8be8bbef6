import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { silentLogger } from "../../src/core/logger.ts";
import {
  ApiServer,
  type ApiServerOptions,
  formatMetrics,
  type HttpSettings,
  type QueueStore,
  type WireEntry,
} from "../../src/queue/index.ts";
import { all, fastDirectory, openQueueStore, type QueueStoreSetUp } from "./queue-store.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export const vms = { "X-Exosite-VMS": "vendor model serial" };

export interface QueueApi {
  readonly store: QueueStore;
  readonly port: number;
  readonly socketPath: string;
  readonly server: ApiServer;
  /** Sent as it is: no header is added but Host and Content-Length. */
  call(call: Call, where?: { readonly host?: string; readonly socketPath?: string }): Promise<Reply>;
  /** Everything that waits, in the order in which it would be uploaded. */
  entries(): Promise<readonly WireEntry[]>;
}

export interface QueueApiSetUp extends QueueStoreSetUp {
  readonly settings?: Partial<HttpSettings>;
  readonly ports?: Partial<Pick<ApiServerOptions, "activator" | "readThrough" | "reread" | "intake">>;
}

/** The API on a port of the kernel's choice, over a real store. */
export async function startQueueApi(setUp: QueueApiSetUp = {}): Promise<QueueApi> {
  const { store, clock } = openQueueStore(setUp);
  const socketPath = join(fastDirectory(), "api.sock");
  const server: ApiServer = new ApiServer({
    intake: store,
    identities: store.identities,
    activator: { activate: () => Promise.resolve(undefined) },
    readThrough: { read: () => Promise.resolve(undefined) },
    reread: () => Promise.resolve(),
    now: () => clock.now(),
    isHealthy: () => store.isWritable,
    metrics: () =>
      formatMetrics({
        status: store.status(),
        identities: store.identities.list(),
        commits: store.commitTimes(),
        http: server.stats(),
        uploads: { requests: new Map([["204", 3]]), entries: 7, bytes: 70, isOnline: true },
      }),
    settings: {
      port: 0,
      maxConnections: 20,
      maxBodyBytes: 1_000_000,
      requestTimeoutMs: 30_000,
      ...setUp.settings,
    },
    socketPath,
    logger: silentLogger,
    ...setUp.ports,
  });
  await server.start();
  onTestFinished(() => server.stop(0));
  return {
    store,
    port: server.port,
    socketPath,
    server,
    call: ({ method = "POST", path, headers = {}, body }, where) =>
      new Promise((resolve, reject) => {
        const target = where?.socketPath === undefined ? { host: "127.0.0.1", port: server.port } : {};
        const request = httpRequest(
          { ...target, ...where, method, path, headers, agent: false },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.once("end", () => {
              const { statusCode = 0, headers: received } = response;
              resolve({ status: statusCode, headers: received, body: Buffer.concat(chunks).toString() });
            });
            response.once("error", reject);
          },
        );
        request.once("error", reject);
        request.end(body);
      }),
    entries: async () => {
      const found: WireEntry[] = [];
      for (const { id } of store.identities.list()) {
        for (const lane of ["live", "backlog"] as const) {
          const batch = await store.take(id, lane, all);
          found.push(...(batch?.entries ?? []));
        }
      }
      return found;
    },
  };
}
