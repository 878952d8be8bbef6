import * as z from "zod/mini";
import type { Dataport, DataportFormat } from "../store/types.ts";
import { deviceOf, parseArgument, parseRef, requireDataport } from "./arguments.ts";
import type { DataParts } from "./data-procedures.ts";
import { type Actor, RpcFailure, type RpcProcedure } from "./types.ts";

type Parts = Pick<DataParts, "store" | "clock">;

const resourceTypes = z.array(z.enum(["client", "dataport", "datarule", "dispatch"]));
const description = z.object({
  name: z.optional(z.string()),
  format: z.optional(z.enum(["string", "integer", "float"])),
});

/** `info`, `listing`, `lookup`, and what makes and removes dataports: `create`, `map`, `unmap`, `flush`, `drop`. */
export function resourceProcedures(parts: Parts): Readonly<Record<string, RpcProcedure>> {
  const { dataports } = parts.store;
  return {
    info: (actor, args) => info(parts, actor, args),
    listing: (actor, args) => listing(parts, actor, args),
    lookup: (actor, args) => lookup(parts, actor, args),
    create: (actor, args) => create(parts, actor, args),
    map: (actor, args) => map(parts, actor, args),
    unmap: async (actor, args) => {
      const alias = parseArgument(z.string(), args[1], "alias");
      await dataports.map((await requireDataport(dataports, actor, { alias })).id, null);
    },
    flush: async (actor, args) => dataports.flush((await requireDataport(dataports, actor, args[0])).id),
    drop: async (actor, args) => dataports.drop((await requireDataport(dataports, actor, args[0])).id),
  };
}

async function info({ store }: Parts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  if (parseRef(args[0] ?? { alias: "" })) {
    return dataportInfo(await requireDataport(store.dataports, actor, args[0]));
  }
  if (actor.kind === "owner") return { basic: { type: "client" }, description: { name: "owner" } };
  const { client } = actor;
  const aliases = (await store.dataports.list(client.id)).filter(({ alias }) => alias !== null);
  return {
    basic: { type: "client", status: "activated" },
    description: { name: client.sn, meta: JSON.stringify({ model: client.model, sn: client.sn }) },
    aliases: Object.fromEntries(aliases.map(({ rid, alias }) => [rid, [alias]])),
  };
}

function dataportInfo(dataport: Dataport): unknown {
  return {
    basic: { type: "dataport", modified: dataport.currentTs ?? dataport.createdAt, subscribers: 0 },
    description: {
      name: dataport.name,
      format: dataport.format,
      retention: { count: "infinity", duration: "infinity" },
    },
    aliases: dataport.alias === null ? [] : [dataport.alias],
  };
}

/** `listing [types]` (a first argument that names the client itself is skipped) → rids by type. */
async function listing({ store }: Parts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  const types = parseArgument(
    resourceTypes,
    args.find((argument) => Array.isArray(argument)) ?? ["client", "dataport"],
    "types",
  );
  const clients = actor.kind === "owner" ? await store.clients.ofOwner(actor.owner.id) : [];
  const dataports = actor.kind === "device" ? await store.dataports.list(actor.client.id) : [];
  const rids = { client: clients, dataport: dataports, datarule: [], dispatch: [] };
  return Object.fromEntries(types.map((type) => [type, rids[type].map(({ rid }) => rid)]));
}

/** `lookup ["alias", A]` → its rid; the empty alias is the client itself. */
async function lookup({ store }: Parts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  parseArgument(z.literal("alias"), args[0], "type");
  const alias = parseArgument(z.string(), args[1], "alias");
  if (alias === "") return actor.kind === "owner" ? actor.owner.rid : actor.client.rid;
  return (await requireDataport(store.dataports, actor, { alias })).rid;
}

/** `create ["dataport", {"name","format"}]` → its rid; `map` gives it an alias. */
async function create({ store, clock }: Parts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  parseArgument(z.literal("dataport"), args[0], "type");
  const { name = "", format = "string" } = parseArgument(description, args[1] ?? {}, "description");
  const chosen: DataportFormat = format;
  const made = await store.dataports.create(deviceOf(actor).id, {
    alias: null,
    name,
    format: chosen,
    now: clock.nowS(),
  });
  if (!made) throw new RpcFailure("error", "the dataport could not be made");
  return made.rid;
}

/** `map ["alias", rid, alias]`. */
async function map({ store }: Parts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  parseArgument(z.literal("alias"), args[0], "type");
  const dataport = await requireDataport(store.dataports, actor, args[1]);
  const alias = parseArgument(z.string().check(z.minLength(1)), args[2], "alias");
  if (!(await store.dataports.map(dataport.id, alias))) throw new RpcFailure("invalid", "the alias is taken");
  return undefined;
}
