/** RPC over HTTP: the one procedure with JSON bodies. Loaded late, since few programs use it. */
import * as z from "zod/mini";
import type { Point, ReadHistoryOptions, RpcCall, RpcResult } from "./api.ts";
import { RejectedError } from "./errors.ts";
import { malformed, statusFailure } from "./failures.ts";
import type { CompleteAnswer } from "./wire.ts";

const resultSchema = z.looseObject({
  id: z.int(),
  status: z.string(),
  result: z.optional(z.unknown()),
  error: z.optional(z.unknown()),
});
const resultsSchema = z.array(resultSchema);
/** A request that failed as a whole, such as for its `auth`, is told so with status 200. */
const failureSchema = z.looseObject({
  error: z.looseObject({ code: z.int(), message: z.optional(z.string()) }),
});
const pointsSchema = z.array(z.tuple([z.number(), z.union([z.string(), z.number(), z.boolean()])]));

export function rpcBody(
  calls: readonly RpcCall[],
  auth: { readonly cik: string | undefined; readonly clientId: string | undefined },
): string {
  return JSON.stringify({
    auth: { cik: auth.cik, client_id: auth.clientId },
    calls: calls.map((call, index) => ({
      id: index + 1,
      procedure: call.procedure,
      arguments: call.arguments,
    })),
  });
}

/** The results in the order of the calls, each call answered exactly once. */
export function parseRpcResults(answer: CompleteAnswer, count: number): readonly RpcResult[] {
  const json = parseJson(answer);
  const failure = failureSchema.safeParse(json);
  if (failure.success && failure.data.error.code >= 400) {
    throw statusFailure({ ...answer, status: failure.data.error.code });
  }
  const results = resultsSchema.safeParse(json);
  if (!results.success) throw malformed(answer, "no list of results");
  const byId = new Map(results.data.map((result) => [result.id, result]));
  if (results.data.length !== count || byId.size !== count) throw malformed(answer, `not ${count} results`);
  return Array.from({ length: count }, (_, index) => {
    const found = byId.get(index + 1);
    if (found === undefined) throw malformed(answer, `no result for call ${index + 1}`);
    const { status, result, error } = found;
    return { status, ...(result !== undefined && { result }), ...(error !== undefined && { error }) };
  });
}

function parseJson(answer: CompleteAnswer): unknown {
  try {
    return JSON.parse(answer.text);
  } catch {
    throw malformed(answer, "no JSON");
  }
}

export function readHistoryCall(alias: string, options: ReadHistoryOptions): RpcCall {
  const { startTime, endTime, limit = 1000, sort = "asc" } = options;
  return {
    procedure: "read",
    // Keys without a value are left out by JSON.
    arguments: [{ alias }, { starttime: startTime, endtime: endTime, limit, sort, selection: "all" }],
  };
}

/** @throws RejectedError when the call failed, MalformedAnswerError when its result is no list of points */
export function parseHistory(answer: CompleteAnswer): readonly Point[] {
  const [result] = parseRpcResults(answer, 1);
  if (result?.status !== "ok") {
    throw new RejectedError(`readHistory: rejected (${result?.status})`, {
      procedure: "readHistory",
      status: answer.status,
      context: { rpcStatus: result?.status },
    });
  }
  const points = pointsSchema.safeParse(result.result);
  if (!points.success) throw malformed(answer, "no list of points");
  // Numbers come from dataports of format integer or float; the rest of the interface speaks in texts.
  return points.data.map(([timestamp, value]) => [timestamp, String(value)]);
}
