import { chmodSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describeError, GweError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { QueueFullError, QueueUnavailableError } from "../errors.ts";
import type { HttpSettings } from "../types.ts";
import { BodyReader } from "./body.ts";
import { Callers } from "./caller.ts";
import { BrowserGuard } from "./guard.ts";
import { RequestProblem } from "./problem.ts";
import { type Answer, type Reply, type RouteDependencies, serve } from "./routes.ts";

export interface ApiServerOptions extends Omit<RouteDependencies, "bodies" | "callers"> {
  readonly settings: HttpSettings;
  /** The Unix socket; what lies there is a leftover, for the engine's lock is held. */
  readonly socketPath: string;
  /** Is given each server before it listens. */
  readonly onCreated?: (server: Server) => void;
  readonly logger: Logger;
}

/** The port is in use, or may not be used. */
class ListenError extends GweError {
  readonly code = "LISTEN";
}

const maxHeaderBytes = 8 * 1024;
const headersTimeoutMs = 10_000;
/** Apps that write now and then keep their connection: a new one costs more than one that idles. */
const keepAliveTimeoutMs = 65_000;
/** How often connections are looked at for time-outs. */
const checkingIntervalMs = 5_000;

/** The local HTTP API: the same on 127.0.0.1, ::1 and a Unix socket. */
export class ApiServer {
  private readonly options: ApiServerOptions;
  private readonly routes: RouteDependencies;
  private readonly guard = new BrowserGuard();
  private readonly servers: Server[] = [];
  private readonly statuses = new Map<number, number>();
  private connectionCount = 0;
  private boundPort = 0;

  constructor(options: ApiServerOptions) {
    this.options = options;
    this.routes = {
      ...options,
      bodies: new BodyReader(options.settings.maxBodyBytes),
      callers: new Callers(),
    };
  }

  get port(): number {
    return this.boundPort;
  }

  /** Open connections, and answers so far by status. */
  stats(): { readonly connections: number; readonly answers: ReadonlyMap<number, number> } {
    return { connections: this.connectionCount, answers: this.statuses };
  }

  /** @throws ListenError */
  async start(): Promise<void> {
    const { settings, socketPath, logger } = this.options;
    try {
      const v4 = await this.listen({ host: "127.0.0.1", port: settings.port });
      const address = v4.address();
      this.boundPort = typeof address === "object" && address !== null ? address.port : settings.port;
      rmSync(socketPath, { force: true });
      await this.listen({ path: socketPath });
      // As open as the port.
      chmodSync(socketPath, 0o666);
    } catch (cause) {
      await this.stop();
      const where = `127.0.0.1:${settings.port} and ${socketPath}`;
      throw new ListenError(`the queue cannot listen on ${where}`, { cause, context: { ...settings } });
    }
    try {
      await this.listen({ host: "::1", port: this.boundPort, ipv6Only: true });
    } catch (error) {
      // Kernels without IPv6 are common on gateways.
      logger.info("the queue does not listen on ::1", { reason: describeError(error) });
    }
  }

  /** Requests that are being served get their answer first, within `graceMs`. */
  async stop(graceMs = 2_000): Promise<void> {
    await Promise.all(
      this.servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            const timer = setTimeout(() => server.closeAllConnections(), graceMs);
            server.close(() => {
              clearTimeout(timer);
              resolve();
            });
            server.closeIdleConnections();
          }),
      ),
    );
  }

  private listen(where: {
    host?: string;
    port?: number;
    path?: string;
    ipv6Only?: boolean;
  }): Promise<Server> {
    const { settings, logger } = this.options;
    const server = createServer(
      {
        maxHeaderSize: maxHeaderBytes,
        headersTimeout: Math.min(headersTimeoutMs, settings.requestTimeoutMs),
        requestTimeout: settings.requestTimeoutMs,
        keepAliveTimeout: keepAliveTimeoutMs,
        connectionsCheckingInterval: Math.min(checkingIntervalMs, settings.requestTimeoutMs),
        // Old clients leave it out.
        requireHostHeader: false,
      },
      (request, response) => this.handle(request, response),
    );
    this.options.onCreated?.(server);
    server.on("connection", (socket) => this.count(socket));
    // A client that goes on sending a body that was refused must not hold us up, nor one that reads no answer.
    server.setTimeout(settings.requestTimeoutMs + keepAliveTimeoutMs);
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(where, () => {
        server.off("error", reject);
        server.on("error", (error) => {
          logger.error("the queue's socket failed", { error: describeError(error) });
        });
        this.servers.push(server);
        resolve(server);
      });
    });
  }

  private count(socket: Socket): void {
    if (this.connectionCount >= this.options.settings.maxConnections) {
      socket.destroy();
      return;
    }
    this.connectionCount += 1;
    socket.once("close", () => {
      this.connectionCount -= 1;
    });
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const reply: Reply = {
      send: (answer) => this.send(response, answer),
      fail: (error) => this.refuse(request, response, error),
    };
    try {
      this.guard.check(request.headers);
      const { url = "/" } = request;
      if (!url.startsWith("/")) request.url = this.guard.originForm(url);
      serve(this.routes, request, reply);
    } catch (error) {
      reply.fail(error);
    }
  }

  private send(response: ServerResponse, { status, type, body }: Answer): void {
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    if (response.destroyed) return;
    if (body === undefined) {
      response.writeHead(status).end();
      return;
    }
    response.writeHead(status, {
      "Content-Type": type ?? "text/plain; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
    });
    response.end(body);
  }

  private refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const problem = this.toProblem(request, error);
    this.statuses.set(problem.status, (this.statuses.get(problem.status) ?? 0) + 1);
    if (response.destroyed) return;
    const body = `${problem.message}\n`;
    response.writeHead(problem.status, {
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
      ...problem.headers,
    });
    response.end(body);
  }

  private toProblem(request: IncomingMessage, error: unknown): RequestProblem {
    if (error instanceof RequestProblem) return error;
    if (error instanceof QueueFullError) return new RequestProblem(507, error.message);
    if (error instanceof QueueUnavailableError) {
      return error.isDiskFull
        ? new RequestProblem(507, error.message)
        : new RequestProblem(503, error.message, { "Retry-After": "1" });
    }
    // The configuration that was to be read again says itself what is wrong with it.
    if (error instanceof GweError && error.code === "CONFIG") return new RequestProblem(400, error.message);
    this.options.logger.error("a request to the queue failed", {
      path: request.url?.split("?", 1)[0],
      error: describeError(error),
    });
    return new RequestProblem(500, "the queue failed to serve this request");
  }
}
