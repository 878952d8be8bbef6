import * as z from "zod/mini";
import { describeIssues } from "../describe-issues.ts";
import type { DataportStore } from "../store/store.ts";
import type { Client, Dataport, DataportFormat, DataportRef, Value } from "../store/types.ts";
import { type Actor, RpcFailure } from "./types.ts";

const refSchema = z.union([z.string(), z.object({ alias: z.string() })]);

/** A resource by rid or `{"alias":…}`; undefined stands for the client itself (`{"alias":""}`). */
export function parseRef(argument: unknown): DataportRef | undefined {
  const ref = parseArgument(refSchema, argument, "resource");
  if (typeof ref === "string") return { rid: ref };
  return ref.alias === "" ? undefined : { alias: ref.alias };
}

/** @throws RpcFailure badarg */
export function parseArgument<T extends z.ZodMiniType>(
  schema: T,
  argument: unknown,
  what: string,
): z.infer<T> {
  const parsed = schema.safeParse(argument);
  if (!parsed.success) throw new RpcFailure("badarg", `${what}: ${describeIssues(parsed.error)}`);
  return parsed.data;
}

/** @throws RpcFailure restricted: the owner itself has no dataports */
export function deviceOf(actor: Actor): Client {
  if (actor.kind === "device") return actor.client;
  throw new RpcFailure("restricted", "the owner has no dataports: name a device as client_id");
}

/** @throws RpcFailure invalid */
export async function requireDataport(
  dataports: DataportStore,
  actor: Actor,
  argument: unknown,
): Promise<Dataport> {
  const client = deviceOf(actor);
  const ref = parseRef(argument);
  const dataport = ref && (await dataports.find(client.id, ref));
  if (!dataport) throw new RpcFailure("invalid", "no such dataport");
  return dataport;
}

export const valueSchema = z.union([z.string(), z.number(), z.boolean()]);

export function toValue(value: string | number | boolean): Value {
  return Buffer.from(String(value));
}

/** Numbers for dataports of a numeric format, text for all others. */
export function fromValue(value: Value, format: DataportFormat): string | number {
  const text = value.toString();
  if (format === "string") return text;
  const number = Number(text);
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}
