import * as z from "zod/mini";
import { describeIssues } from "../describe-issues.ts";
import { HttpProblem } from "../errors.ts";
import { faultSchema } from "../faults/fault.ts";
import type { Call } from "../http/call.ts";
import { parseJson } from "../http/json.ts";
import { json, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { RequestFilter } from "../request-log/request-log.ts";
import { waitFor } from "../request-log/wait.ts";
import { requireOwner } from "./access.ts";
import type { RouteParts } from "./parts.ts";

const maxWaitMs = 300_000;
const maxEntries = 1000;

/** The emulator's own endpoints: faults, the request log, the clock. For the owner only; no fault strikes them. */
export function adminRoutes(parts: RouteParts): readonly Route[] {
  const route = (
    method: Route["method"],
    path: string,
    handle: (call: Call) => Reply | Promise<Reply>,
  ): Route => ({
    method,
    path: `/_emulator/${path}`,
    procedure: "emulator",
    admin: true,
    handle: async (call) => {
      await requireOwner(parts, call);
      return handle(call);
    },
  });
  return [
    route("GET", "faults", () => json(200, { faults: parts.faults.list() })),
    route("POST", "faults", (call) => addFaults(parts, call)),
    route("DELETE", "faults", () => {
      parts.faults.clear();
      return json(200, { faults: [] });
    }),
    route("DELETE", "faults/*", (call) => {
      if (!parts.faults.remove(call.param(0))) throw new HttpProblem(404, "no such fault");
      return json(200, { faults: parts.faults.list() });
    }),
    route("POST", "offline", (call) => {
      const { forMs } = parse(offlineSchema, call);
      parts.goOffline(forMs);
      return json(200, { forMs });
    }),
    route("GET", "requests", (call) => requests(parts, call)),
    route("GET", "requests/open", () => json(200, { open: parts.requestLog.open() })),
    route("GET", "clock", () => json(200, clockState(parts))),
    route("PUT", "clock", (call) => {
      parts.clock.setOffset(parse(clockSchema, call).offsetS);
      return json(200, clockState(parts));
    }),
  ];
}

const offlineSchema = z.strictObject({ forMs: z.number().check(z.int(), z.gte(1), z.lte(86_400_000)) });
const clockSchema = z.strictObject({ offsetS: z.number() });
const faultsSchema = z.array(faultSchema);

function parse<T extends z.ZodMiniType>(schema: T, call: Call): z.infer<T> {
  return parseValue(schema, parseJson(call.body.toString()));
}

function parseValue<T extends z.ZodMiniType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new HttpProblem(400, describeIssues(parsed.error));
  return parsed.data;
}

function addFaults(parts: RouteParts, call: Call): Reply {
  const value = parseJson(call.body.toString());
  const faults = parseValue(faultsSchema, Array.isArray(value) ? value : [value]);
  const ids = faults.map((fault) => parts.faults.add(fault));
  return json(200, { ids });
}

function clockState({ clock }: RouteParts): unknown {
  return { now: clock.nowS(), offsetS: clock.offsetS };
}

/** Entries after a cursor; with `waitMs` the answer waits until there is one. */
async function requests(parts: RouteParts, call: Call): Promise<Reply> {
  const { requestLog } = parts;
  const filter = requestFilter(call);
  const limit = Math.min(number(call, "limit") ?? maxEntries, maxEntries);
  const find = () => {
    const entries = requestLog.find(filter, limit);
    return entries.length > 0 ? entries : undefined;
  };
  const timeoutMs = Math.min(number(call, "waitMs") ?? 0, maxWaitMs);
  const entries = (await waitFor(requestLog, find, { timeoutMs, onGone: call.onGone })) ?? [];
  // Cut short by the limit, the next page starts after the last one given.
  const cursor = entries.length < limit ? requestLog.cursor : (entries.at(-1)?.n ?? requestLog.cursor);
  return json(200, { entries, cursor });
}

function requestFilter(call: Call): RequestFilter {
  const { query } = call;
  return {
    after: number(call, "after"),
    procedure: query.get("procedure"),
    method: query.get("method"),
    path: query.get("path"),
    device: query.get("device"),
    status: number(call, "status"),
    wrote: query.get("wrote"),
  };
}

function number(call: Call, key: string): number | undefined {
  const text = call.query.get(key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text === "" || !Number.isInteger(value) || value < 0) {
    throw new HttpProblem(400, `${key} must be a whole number`);
  }
  return value;
}
