import { chmodSync, chownSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import * as z from "zod/mini";
import { $ZodError } from "zod/v4/core";
import type { AppStatus } from "../core/app-status.ts";
import type { ControlError, EngineStatus, InstallResult, JobRecord } from "../core/control-api.ts";
import { describeError, GweError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { restWhileAlone } from "../platform/http-idle.ts";
import { ControlRequestError } from "./control-error.ts";
import { changeProcesses, type ProcessTarget } from "./process-routes.ts";
import type { QueueControl } from "./queue-control.ts";

/** What a control request may ask of the running engine. */
export interface ControlTarget {
  status(): Promise<EngineStatus>;
  changeApp(name: string, change: AppChange): Promise<AppStatus>;
  checkInNow(): void;
  install(files: readonly string[]): Promise<readonly InstallResult[]>;
  remove(app: string): Promise<InstallResult>;
  history(app: string | undefined): readonly JobRecord[];
  readonly processes: ProcessTarget;
}

const appChanges = ["start", "stop", "restart"] as const;
export type AppChange = (typeof appChanges)[number];

export interface ControlServerOptions {
  readonly socketPath: string;
  /** Group that may use the socket; undefined leaves it to the engine's own. */
  readonly groupId: number | undefined;
  readonly target: ControlTarget;
  /** Undefined for an engine without a queue. */
  readonly queue: Pick<QueueControl, "answer"> | undefined;
  readonly logger: Logger;
}

const maxBodyBytes = 64 * 1024;
/** A client that forgets to close its connections must not use up the engine's file descriptors. */
const maxConnections = 64;
const installSchema = z.object({ files: z.array(z.string().check(z.startsWith("/"))).check(z.minLength(1)) });

/** Serves `core/control-api.ts` over a Unix socket that only root and the engine's group can open (0660). */
export class ControlServer {
  private readonly options: ControlServerOptions;
  private readonly server: Server;

  constructor(options: ControlServerOptions) {
    this.options = options;
    this.server = createServer((request, response) => void this.serve(request, response));
    // An installation answers when it has ended, which may be half an hour.
    this.server.requestTimeout = 30_000;
    this.server.maxConnections = maxConnections;
    restWhileAlone(this.server);
  }

  /** The instance lock must be held: what lies at the socket's path is then a leftover and is removed. */
  async start(): Promise<void> {
    const { socketPath, groupId, logger } = this.options;
    rmSync(socketPath, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", reject);
      // Nobody but us may connect before the mode is set. The socket is made within the call: what else goes on
      // meanwhile keeps its own mask.
      const previousMask = process.umask(0o177);
      try {
        this.server.listen(socketPath, resolve);
      } finally {
        process.umask(previousMask);
      }
    });
    this.server.on("error", (error) => {
      logger.error("control socket failed", { error: describeError(error) });
    });
    if (groupId !== undefined) chownSync(socketPath, process.getuid?.() ?? -1, groupId);
    chmodSync(socketPath, 0o660);
  }

  async stop(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { status, body } = await this.route(request);
      answer(response, status, body);
    } catch (error) {
      const status = statusOf(error);
      const code = error instanceof GweError ? error.code : status === 400 ? "BAD_REQUEST" : "INTERNAL";
      if (status === 500) {
        this.options.logger.error("control request failed", {
          path: request.url,
          error: describeError(error),
        });
      }
      const body: ControlError = { error: { code, message: describeError(error) } };
      answer(response, status, body);
    }
  }

  private async route(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const { target, queue } = this.options;
    const { method = "GET", url = "/" } = request;
    const [path = "/", search = ""] = url.split("?", 2);
    const segments = decodeSegments(path);
    if (segments[0] === "queue" && queue !== undefined) {
      const query = new URLSearchParams(search);
      const body = async () => parseJson(await readBody(request));
      const answered = await queue.answer({ method, segments, query, body });
      if (answered !== undefined) return answered;
    }
    const route = `${method} ${routeOf(segments, path)}`;
    switch (route) {
      case "GET /history":
        return { status: 200, body: target.history(segments[1]) };
      case "GET /status":
        return { status: 200, body: await target.status() };
      case "POST /check-in":
        target.checkInNow();
        return { status: 202, body: {} };
      case "POST /apps": {
        if (segments[2] === "remove") return { status: 200, body: await target.remove(segments[1] ?? "") };
        const change = appChanges.find((name) => name === segments[2]);
        if (change === undefined) break;
        return { status: 200, body: await target.changeApp(segments[1] ?? "", change) };
      }
      case "POST /install": {
        const parsed = installSchema.safeParse(parseJson(await readBody(request)));
        if (!parsed.success) {
          throw new ControlRequestError(400, "BAD_REQUEST", 'expected {"files":["/absolute/path.tar.gz",…]}');
        }
        return { status: 200, body: await target.install(parsed.data.files) };
      }
      case "GET /processes":
        return { status: 200, body: target.processes.processes() };
      case "POST /processes": {
        const body = parseJson(await readBody(request));
        const changed = await changeProcesses(target.processes, segments[1] ?? "", body);
        if (changed === undefined) break;
        return { status: 200, body: changed };
      }
    }
    throw new ControlRequestError(404, "NO_SUCH_CALL", `no such call: ${method} ${path}`);
  }
}

function statusOf(error: unknown): number {
  if (error instanceof ControlRequestError) return error.status;
  return error instanceof $ZodError ? 400 : 500;
}

/** The part of a path that says what is asked; an app's name is not. */
function routeOf(segments: readonly string[], path: string): string {
  if (segments.length === 3 && segments[0] === "apps") return "/apps";
  const isPair = segments.length === 2 && (segments[0] === "history" || segments[0] === "processes");
  return isPair ? `/${segments[0]}` : path;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function decodeSegments(path: string): readonly string[] {
  try {
    return path.split("/").slice(1).map(decodeURIComponent);
  } catch {
    throw new ControlRequestError(400, "BAD_REQUEST", "the path is not well encoded");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ControlRequestError(400, "BAD_REQUEST", `the body is not JSON: ${describeError(error)}`);
  }
}

/** A body that is too large is read to its end, but not kept: closing before would lose the answer. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBodyBytes) chunks.push(chunk);
    else chunks.length = 0;
  }
  if (size > maxBodyBytes)
    throw new ControlRequestError(413, "TOO_LARGE", `the body exceeds ${maxBodyBytes} bytes`);
  return Buffer.concat(chunks).toString("utf8");
}
