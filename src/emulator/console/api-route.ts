import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type * as z from "zod/mini";
import { describeIssues } from "../describe-issues.ts";
import { HttpProblem } from "../errors.ts";
import { ClientGone } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { parseJson } from "../http/json.ts";
import { json, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Owner } from "../store/types.ts";
import { requireOperator } from "./access.ts";

const compress = promisify(gzip);

/** Smaller answers fit a packet anyway. */
const leastToCompressBytes = 1400;

export type OperatorHandler = (owner: Owner, call: Call) => Reply | Promise<Reply>;

/** Makes routes below `/console/api/` for signed-in operators, whose errors are JSON. */
export function operatorRoute(
  parts: RouteParts,
  method: Route["method"],
  path: string,
  handle: OperatorHandler,
  more: Partial<Pick<Route, "streamsBody" | "maxBodyBytes">> = {},
): Route {
  return apiRoute(method, path, async (call) => handle(await requireOperator(parts, call), call), more);
}

/** The same for everybody. No fault strikes the console, and the request log is about gateways. */
export function apiRoute(
  method: Route["method"],
  path: string,
  handle: (call: Call) => Promise<Reply>,
  more: Partial<Pick<Route, "streamsBody" | "maxBodyBytes">> = {},
): Route {
  return {
    method,
    path: `/console/api/${path}`,
    procedure: "console",
    admin: true,
    ...more,
    handle: async (call) => {
      try {
        return guarded(await compressed(call, await handle(call)));
      } catch (error) {
        if (!(error instanceof HttpProblem) || error instanceof ClientGone) throw error;
        const answer = json(error.status, { error: error.message });
        return guarded({ ...answer, headers: { ...answer.headers, ...error.headers } });
      }
    },
  };
}

/** @throws HttpProblem 400 */
export function parseBody<T extends z.ZodMiniType>(schema: T, call: Call): z.infer<T> {
  const parsed = schema.safeParse(parseJson(call.body.toString()));
  if (!parsed.success) throw new HttpProblem(400, describeIssues(parsed.error));
  return parsed.data;
}

/** A number in the query, or what stands in for it. @throws HttpProblem 400 */
export function queryNumber(call: Call, key: string, otherwise: number, most = Infinity): number {
  const text = call.query.get(key);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < 0)
    throw new HttpProblem(400, `${key} must be a number`);
  return Math.min(value, most);
}

function guarded(reply: Reply): Reply {
  return {
    ...reply,
    headers: { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", ...reply.headers },
  };
}

async function compressed(call: Call, reply: Reply): Promise<Reply> {
  const { body } = reply;
  if (typeof body !== "string" || body.length < leastToCompressBytes || !takesGzip(call)) return reply;
  return {
    ...reply,
    headers: { ...reply.headers, "Content-Encoding": "gzip", Vary: "Accept-Encoding" },
    body: await compress(body, { level: 3 }),
  };
}

export function takesGzip(call: Call): boolean {
  return /\bgzip\b/.test(call.header("accept-encoding") ?? "");
}
