import * as z from "zod/mini";
import { describeIssues } from "../describe-issues.ts";
import { HttpProblem } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { parseJson } from "../http/json.ts";
import { json, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import { dataProcedures } from "../rpc/data-procedures.ts";
import { resourceProcedures } from "../rpc/resource-procedures.ts";
import { type Actor, RpcFailure, type RpcProcedure } from "../rpc/types.ts";
import type { RouteParts } from "./parts.ts";

const requestSchema = z.object({
  auth: z.object({ cik: z.string(), client_id: z.optional(z.string()) }),
  calls: z.array(
    z.object({
      id: z.optional(z.union([z.number(), z.string()])),
      procedure: z.string(),
      arguments: z._default(z.array(z.unknown()), []),
    }),
  ),
});

type RpcCall = z.infer<typeof requestSchema>["calls"][number];

/** RPC (spec: device-api.md). Calls of one request run in order; each is durable before the next begins. */
export function rpcRoutes(parts: RouteParts): readonly Route[] {
  const procedures = { ...dataProcedures(parts), ...resourceProcedures(parts) };
  return [
    {
      method: "POST",
      path: "/onep:v1/rpc/process",
      procedure: "rpc",
      handle: (call) => processCalls(parts, procedures, call),
    },
  ];
}

async function processCalls(
  parts: RouteParts,
  procedures: Readonly<Record<string, RpcProcedure>>,
  call: Call,
): Promise<Reply> {
  const parsed = requestSchema.safeParse(parseJson(call.body.toString()));
  if (!parsed.success) throw new HttpProblem(400, describeIssues(parsed.error));
  const { auth, calls } = parsed.data;
  const actor = await findActor(parts, call, auth);
  if (!actor) return json(401, { error: { code: 401, message: "Unauthorized", context: "auth" } });
  if (actor.kind === "device") {
    call.notes.device = actor.client.sn;
    call.notes.product = actor.client.model;
  }
  call.notes.wrote = calls.flatMap(writtenAlias);
  const answers: unknown[] = [];
  for (const one of calls) {
    const answer = await run(procedures, actor, one);
    // A call without an id asks for no answer.
    if (one.id !== undefined) answers.push({ id: one.id, ...answer });
  }
  return json(200, answers);
}

async function findActor(
  { store }: RouteParts,
  call: Call,
  auth: { readonly cik: string; readonly client_id?: string | undefined },
): Promise<Actor | undefined> {
  const device = await store.clients.byCik(auth.cik);
  if (device) {
    if (call.hostProduct !== undefined && call.hostProduct !== device.model) return undefined;
    const itself = auth.client_id === undefined || auth.client_id === device.rid;
    return itself ? { kind: "device", client: device, by: "device" } : undefined;
  }
  const owner = await store.owners.byCik(auth.cik);
  if (!owner || auth.client_id === undefined || auth.client_id === owner.rid) {
    return owner && { kind: "owner", owner };
  }
  const child = await store.clients.byRid(auth.client_id);
  return child?.ownerId === owner.id ? { kind: "device", client: child, by: "owner" } : undefined;
}

async function run(
  procedures: Readonly<Record<string, RpcProcedure>>,
  actor: Actor,
  call: RpcCall,
): Promise<Record<string, unknown>> {
  const procedure = Object.hasOwn(procedures, call.procedure) ? procedures[call.procedure] : undefined;
  if (!procedure) return failure(new RpcFailure("error", `no procedure ${call.procedure}`));
  try {
    const result = await procedure(actor, call.arguments);
    return result === undefined ? { status: "ok" } : { status: "ok", result };
  } catch (error) {
    if (error instanceof RpcFailure) return failure(error);
    throw error;
  }
}

function failure({ status, message, detail }: RpcFailure): Record<string, unknown> {
  return { status, error: { message, ...(detail === undefined ? {} : { context: detail }) } };
}

function writtenAlias({ procedure, arguments: [resource] }: RpcCall): string[] {
  const writes = procedure === "write" || procedure === "record" || procedure === "recordbatch";
  if (!writes || typeof resource !== "object" || resource === null || !("alias" in resource)) return [];
  return [String(resource.alias)];
}
