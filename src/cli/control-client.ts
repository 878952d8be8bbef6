import { request } from "node:http";
import type * as z from "zod/mini";
import type { AppStatus } from "../core/app-status.ts";
import type { EngineStatus, InstallRequest, InstallResult, JobRecord } from "../core/control-api.ts";
import type {
  GroupChanges,
  ProcessRequest,
  ProcessResult,
  SupervisedProcess,
  UpdateRequest,
} from "../core/process-api.ts";
import { controlSchemas } from "./control-schema.ts";
import {
  ControlAccessError,
  ControlBrokenOffError,
  ControlRefusedError,
  EngineNotRunningError,
} from "./errors.ts";
import { processSchemas } from "./process-schema.ts";
import { printable } from "./terminal.ts";

export type AppAction = "start" | "stop" | "restart";

export interface ControlCall<Answer> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly schema: z.ZodMiniType<Answer> | undefined;
  /** Absent: as long as it takes. */
  readonly timeoutMs?: number;
}

export const quickMs = 10_000;
/** An app may take its whole `stopwaitsecs` to stop before it starts again. */
const appActionMs = 120_000;
const maxAnswerBytes = 16 * 1024 * 1024;

/** Speaks to the running engine over its control socket (src/core/control-api.ts). */
export class ControlClient {
  private readonly socketPath: string;

  constructor(options: { readonly socketPath: string }) {
    this.socketPath = options.socketPath;
  }

  status(): Promise<EngineStatus> {
    return this.call({
      method: "GET",
      path: "/status",
      schema: controlSchemas.engineStatus,
      timeoutMs: quickMs,
    });
  }

  app(name: string, action: AppAction): Promise<AppStatus> {
    const path = `/apps/${encodeURIComponent(name)}/${action}`;
    return this.call({ method: "POST", path, schema: controlSchemas.appStatus, timeoutMs: appActionMs });
  }

  async checkIn(): Promise<void> {
    await this.call({ method: "POST", path: "/check-in", schema: undefined, timeoutMs: quickMs });
  }

  /** The newest jobs, of one app where it is named. */
  history(app?: string): Promise<readonly JobRecord[]> {
    const path = app === undefined ? "/history" : `/history/${encodeURIComponent(app)}`;
    return this.call({ method: "GET", path, schema: controlSchemas.jobRecords, timeoutMs: quickMs });
  }

  /** Resolves when the app is gone, or could not be removed. */
  remove(name: string): Promise<InstallResult> {
    const path = `/apps/${encodeURIComponent(name)}/remove`;
    return this.call({ method: "POST", path, schema: controlSchemas.installResult });
  }

  /** Resolves when all installations have ended, which has no time limit of ours: each installer has its own. */
  install(files: readonly string[]): Promise<readonly InstallResult[]> {
    const body: InstallRequest = { files };
    return this.call({ method: "POST", path: "/install", body, schema: controlSchemas.installResults });
  }

  /** Every process, the engine's own parts among them. */
  processes(): Promise<readonly SupervisedProcess[]> {
    return this.call({
      method: "GET",
      path: "/processes",
      schema: processSchemas.processes,
      timeoutMs: quickMs,
    });
  }

  /** Resolves when all of them have come to it, however long their `startsecs` and `stopwaitsecs` are. */
  changeProcesses(
    verb: "start" | "stop" | "signal" | "clear",
    body: ProcessRequest,
  ): Promise<readonly ProcessResult[]> {
    return this.call({ method: "POST", path: `/processes/${verb}`, body, schema: processSchemas.results });
  }

  /** What has another configuration than it was started with; `update` and `reload` start it anew. */
  groups(verb: "reread" | "update" | "reload", groups: readonly string[] = []): Promise<GroupChanges> {
    const body: UpdateRequest = { groups };
    return this.call({ method: "POST", path: `/processes/${verb}`, body, schema: processSchemas.changes });
  }

  /**
   * @throws EngineNotRunningError when nobody listens
   * @throws ControlAccessError when this user may not connect
   * @throws ControlRefusedError when the engine answers an error, nonsense, or nothing in time
   */
  protected async call<Answer>(call: ControlCall<Answer>): Promise<Answer> {
    const { status, text } = await this.exchange(call);
    const body = parseJson(text);
    if (status < 200 || status > 299) {
      const known = controlSchemas.controlError.safeParse(body);
      if (!known.success) throw new ControlRefusedError(`the engine answered with HTTP status ${status}`);
      throw new ControlRefusedError(printable(known.data.error.message), known.data.error.code);
    }
    if (call.schema === undefined) return undefined as Answer;
    const parsed = call.schema.safeParse(body);
    if (parsed.success) return parsed.data;
    throw new ControlRefusedError(
      "the engine's answer is not understood: are engine and command of one version?",
    );
  }

  private exchange(call: ControlCall<unknown>): Promise<{ readonly status: number; readonly text: string }> {
    const payload = call.body === undefined ? "" : JSON.stringify(call.body);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          socketPath: this.socketPath,
          method: call.method,
          path: call.path,
          // Node's own gives up on a silent answer after 5 s; installers are silent for longer.
          agent: false,
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(payload) },
          ...(call.timeoutMs === undefined ? {} : { timeout: call.timeoutMs }),
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          incoming.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > maxAnswerBytes)
              incoming.destroy(new ControlRefusedError("the engine's answer is too long"));
            else chunks.push(chunk);
          });
          incoming.on("error", (error) => reject(this.explained(error)));
          incoming.on("end", () =>
            resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
          );
        },
      );
      outgoing.on("timeout", () => {
        const waited = (call.timeoutMs ?? 0) / 1000;
        outgoing.destroy(new ControlRefusedError(`the engine did not answer within ${waited} s`));
      });
      outgoing.on("error", (error) => reject(this.explained(error)));
      outgoing.end(payload);
    });
  }

  private explained(error: NodeJS.ErrnoException): Error {
    if (error instanceof ControlRefusedError) return error;
    if (["ENOENT", "ENOTDIR", "ECONNREFUSED"].includes(error.code ?? "")) {
      return new EngineNotRunningError(
        `the engine is not running (no answer on ${this.socketPath}): start it with 'systemctl start gateway-engine' or 'gwe'`,
      );
    }
    if (error.code === "EACCES" || error.code === "EPERM") {
      return new ControlAccessError(
        `permission denied on ${this.socketPath}: be root or a member of the group gateway-engine`,
      );
    }
    return new ControlBrokenOffError(`the engine broke off the connection (${error.code ?? error.message})`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
