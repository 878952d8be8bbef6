import * as z from "zod/mini";
import { HttpProblem } from "../errors.ts";
import { parseFetchStatus } from "../fleet/fetch-status.ts";
import type { Call } from "../http/call.ts";
import { json, noContent, type Reply } from "../http/reply.ts";
import type { Route } from "../http/router.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Point } from "../store/types.ts";
import { type OperatorHandler, operatorRoute, parseBody, queryNumber } from "./api-route.ts";
import { type AliasHistory, chartsOf } from "./charts.ts";
import { chooseGateways, requireGateway } from "./choose-gateways.ts";

/** More points than pixels help nobody. */
const maxPoints = 1000;
const maxJobs = 200;

const interval = z.strictObject({
  seconds: z.number().check(z.int(), z.gte(1), z.lte(2_147_483)),
});

/** The fleet and its gateways (docs/console.md, "Fleet"). */
export function gatewayRoutes(parts: RouteParts): readonly Route[] {
  const route = (method: Route["method"], path: string, handle: OperatorHandler) =>
    operatorRoute(parts, method, path, handle);
  return [
    route("GET", "fleet", async (owner, call) => {
      const entries = await chooseGateways(parts, owner, call.query.get("filter") ?? "");
      return json(200, { now: parts.clock.nowS(), gateways: entries.map(({ gateway }) => gateway) });
    }),
    route("GET", "gateways/*", async (owner, call) => {
      const { clientId, gateway } = await requireGateway(parts, owner, call.param(0));
      return json(200, { gateway, values: await newestValues(parts, clientId) });
    }),
    route("GET", "gateways/*/history/*", async (owner, call) => {
      const { clientId } = await requireGateway(parts, owner, call.param(0));
      const points = await history(parts, clientId, call.param(1), {
        start: queryNumber(call, "start", 0),
        end: queryNumber(call, "end", Number.MAX_SAFE_INTEGER),
        limit: queryNumber(call, "limit", 100, maxPoints),
      });
      return json(200, { points: points.map(({ ts, value }) => [ts, value.toString()]) });
    }),
    route("GET", "gateways/*/jobs", async (owner, call) => {
      const { clientId } = await requireGateway(parts, owner, call.param(0));
      return json(200, { jobs: await jobs(parts, clientId) });
    }),
    route("GET", "gateways/*/charts", async (owner, call) => {
      const { clientId } = await requireGateway(parts, owner, call.param(0));
      return json(200, { charts: await charts(parts, clientId, call) });
    }),
    route("PUT", "gateways/*/update-interval", async (owner, call) => {
      const { clientId } = await requireGateway(parts, owner, call.param(0));
      const value = Buffer.from(String(parseBody(interval, call).seconds));
      const writes = [{ alias: "update_interval", value }];
      await parts.store.dataports.writeRead(clientId, writes, [], parts.clock.nowS());
      parts.hub.changed(clientId, ["update_interval"]);
      return noContent;
    }),
    route("DELETE", "gateways/*/command", (owner, call) => withdraw(parts, owner, call)),
  ];

  async function withdraw(...[, owner, call]: [RouteParts, ...Parameters<OperatorHandler>]): Promise<Reply> {
    const { clientId } = await requireGateway(parts, owner, call.param(0));
    if (!(await parts.commands.withdraw(clientId))) throw new HttpProblem(409, "no command waits there");
    return noContent;
  }
}

async function newestValues(
  { store }: RouteParts,
  clientId: number,
): Promise<Record<string, { readonly ts: number; readonly value: string }>> {
  const aliases = await aliasesOf(store, clientId);
  const readings = await store.dataports.read(clientId, aliases);
  return Object.fromEntries(readings.map(({ alias, ts, value }) => [alias, { ts, value: value.toString() }]));
}

async function aliasesOf({ dataports }: RouteParts["store"], clientId: number): Promise<string[]> {
  return (await dataports.list(clientId)).map(({ alias }) => alias).filter((alias) => alias !== null);
}

async function history(
  { store }: RouteParts,
  clientId: number,
  alias: string,
  range: { readonly start: number; readonly end: number; readonly limit: number },
): Promise<readonly Point[]> {
  const dataport = await store.dataports.find(clientId, { alias });
  if (!dataport) throw new HttpProblem(404, "no such dataport");
  return store.dataports.history(dataport.id, { ...range, sort: "desc" });
}

async function jobs(parts: RouteParts, clientId: number): Promise<unknown> {
  const range = { start: 0, end: Number.MAX_SAFE_INTEGER, limit: maxJobs };
  const points = await history(parts, clientId, "fetch_status", range);
  return points
    .filter(({ value }) => value.length > 0)
    .map(({ ts, value }) => ({ ts, ...parseFetchStatus(value.toString()) }));
}

/** Charts of the reports, then one for each dataport of the apps' own that holds numbers. */
async function charts(parts: RouteParts, clientId: number, call: Call): Promise<unknown> {
  const end = parts.clock.nowS() + 600;
  const start = end - queryNumber(call, "hours", 24, 24 * 366) * 3600;
  const histories: AliasHistory[] = [];
  for (const alias of await aliasesOf(parts.store, clientId)) {
    const points = await history(parts, clientId, alias, { start, end, limit: maxPoints });
    histories.push({ alias, points: points.toReversed().map(({ ts, value }) => [ts, value.toString()]) });
  }
  return chartsOf(histories);
}
