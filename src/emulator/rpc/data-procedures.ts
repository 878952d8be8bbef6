import * as z from "zod/mini";
import { maxValueBytes } from "../limits.ts";
import type { LongPollHub, Writer } from "../long-poll/hub.ts";
import { type RawPoint, spacePoints } from "../record-spacing.ts";
import type { ServerClock } from "../server-clock.ts";
import type { Store } from "../store/store.ts";
import type { Dataport, Point } from "../store/types.ts";
import {
  deviceOf,
  fromValue,
  parseArgument,
  parseRef,
  requireDataport,
  toValue,
  valueSchema,
} from "./arguments.ts";
import { type Actor, RpcFailure, type RpcProcedure } from "./types.ts";

export interface DataParts {
  readonly store: Store;
  readonly hub: LongPollHub;
  readonly clock: ServerClock;
}

const maxPoints = 100_000;
const farFuture = Number.MAX_SAFE_INTEGER;
const seconds = z.number().check(z.gte(0));

const readOptions = z.object({
  starttime: z._default(seconds, 0),
  endtime: z._default(seconds, farFuture),
  limit: z._default(z.number().check(z.int(), z.gte(1)), 1),
  sort: z._default(z.enum(["asc", "desc"]), "desc"),
  selection: z._default(z.enum(["all", "autowindow", "givenwindow"]), "all"),
});

const entries = z.array(z.tuple([seconds, valueSchema])).check(z.minLength(1));

/** `read`, `write`, `record`, `recordbatch`. */
export function dataProcedures(parts: DataParts): Readonly<Record<string, RpcProcedure>> {
  return {
    read: (actor, args) => read(parts, actor, args),
    write: (actor, args) => write(parts, actor, args),
    record: (actor, args) => record(parts, actor, args),
    recordbatch: (actor, args) => record(parts, actor, args),
  };
}

async function read({ store }: DataParts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  const dataport = await requireDataport(store.dataports, actor, args[0]);
  const options = parseArgument(readOptions, args[1] ?? {}, "options");
  const range = { start: Math.ceil(options.starttime), end: Math.floor(options.endtime), sort: options.sort };
  const sampled = options.selection !== "all";
  const points = await store.dataports.history(dataport.id, {
    ...range,
    limit: sampled ? maxPoints : Math.min(options.limit, maxPoints),
  });
  const chosen = sampled ? samplePoints(points, options.limit, options.selection === "givenwindow") : points;
  return chosen.map(({ ts, value }) => [ts, fromValue(value, dataport.format)]);
}

/** At most `limit` points: `evenInTime`, the first of each equal stretch of time; else every n-th point. */
function samplePoints(points: readonly Point[], limit: number, evenInTime: boolean): Point[] {
  const [first] = points;
  const last = points.at(-1);
  if (!first || !last || points.length <= limit) return [...points];
  const span = Math.abs(last.ts - first.ts) + 1;
  const windowOf = (point: Point, index: number) =>
    evenInTime
      ? Math.floor((Math.abs(point.ts - first.ts) * limit) / span)
      : Math.floor((index * limit) / points.length);
  let previous = -1;
  return points.filter((point, index) => {
    const window = windowOf(point, index);
    if (window === previous) return false;
    previous = window;
    return true;
  });
}

async function write(parts: DataParts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  const client = deviceOf(actor);
  const alias = await aliasOf(parts, actor, args[0]);
  const value = toValue(parseArgument(valueSchema, args[1], "value"));
  checkSize(value);
  await parts.store.dataports.writeRead(client.id, [{ alias, value }], [], parts.clock.nowS());
  parts.hub.changed(client.id, [alias], writerOf(actor));
  return undefined;
}

async function record(parts: DataParts, actor: Actor, args: readonly unknown[]): Promise<unknown> {
  const client = deviceOf(actor);
  const alias = await aliasOf(parts, actor, args[0]);
  const raw = parseArgument(entries, args[1], "entries").map(([ts, value]): RawPoint => {
    const bytes = toValue(value);
    checkSize(bytes);
    return { text: String(ts), ts, value: bytes };
  });
  const { kept, refused } = spacePoints(raw);
  await parts.store.dataports.record(client.id, [{ alias, points: kept }], parts.clock.nowS());
  parts.hub.changed(client.id, [alias], writerOf(actor));
  if (refused.length > 0) {
    throw new RpcFailure("error", "timestamps less than one second apart", {
      code: 409,
      refused: refused.map(Number),
    });
  }
  return undefined;
}

/** Values go by alias: one that may not exist yet is made by the first write, as over HTTP. */
async function aliasOf({ store }: DataParts, actor: Actor, argument: unknown): Promise<string> {
  const ref = parseRef(argument);
  if (ref && "alias" in ref) return ref.alias;
  const dataport: Dataport = await requireDataport(store.dataports, actor, argument);
  if (dataport.alias === null) throw new RpcFailure("invalid", "the dataport has no alias");
  return dataport.alias;
}

function writerOf(actor: Actor): Writer {
  return actor.kind === "owner" ? "owner" : actor.by;
}

function checkSize(value: Buffer): void {
  if (value.length > maxValueBytes) {
    throw new RpcFailure("badarg", `a dataport value holds at most ${maxValueBytes} bytes`);
  }
}
