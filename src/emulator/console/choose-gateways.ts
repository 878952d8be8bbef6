import * as z from "zod/mini";
import { HttpProblem } from "../errors.ts";
import { parseFilter } from "../fleet/filter.ts";
import type { FleetEntry } from "../fleet/fleet-index.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Owner } from "../store/types.ts";

/** Gateways by name, or those that a filter chooses; with what else the request says. */
export function gatewayChoice<Shape extends z.core.$ZodShape>(more: Shape) {
  return z.union([
    z.strictObject({ filter: z.string(), ...more }),
    z.strictObject({ gateways: z.array(z.string()).check(z.minLength(1)), ...more }),
  ]);
}

/** @throws HttpProblem 400 for a bad filter, 404 where one that is named is not there, 409 where none matches */
export async function chosenGateways(
  parts: RouteParts,
  owner: Owner,
  choice: { readonly filter: string } | { readonly gateways: readonly string[] },
): Promise<readonly FleetEntry[]> {
  const entries =
    "filter" in choice
      ? await chooseGateways(parts, owner, choice.filter)
      : await namedGateways(parts, owner, choice.gateways);
  if (entries.length === 0) throw new HttpProblem(409, "no gateway matches");
  return entries;
}

async function namedGateways(
  parts: RouteParts,
  owner: Owner,
  rids: readonly string[],
): Promise<readonly FleetEntry[]> {
  const wanted = new Set(rids);
  const entries = (await parts.fleet.list(owner.id)).filter(({ gateway }) => wanted.has(gateway.rid));
  if (entries.length < wanted.size) throw new HttpProblem(404, "a gateway of these is not there");
  return entries;
}

/** The owner's gateways that a filter chooses. @throws HttpProblem 400 when it cannot be read */
export async function chooseGateways(
  parts: RouteParts,
  owner: Owner,
  filter: string,
): Promise<readonly FleetEntry[]> {
  const parsed = parseFilter(filter);
  if (!parsed.ok) throw new HttpProblem(400, `filter: ${parsed.problem}`);
  const now = parts.clock.nowS();
  return (await parts.fleet.list(owner.id)).filter(({ gateway }) => parsed.matches(gateway, now));
}

/** @throws HttpProblem 404 */
export async function requireGateway(parts: RouteParts, owner: Owner, rid: string): Promise<FleetEntry> {
  const entry = await parts.fleet.find(owner.id, rid);
  if (!entry) throw new HttpProblem(404, "no such gateway");
  return entry;
}
