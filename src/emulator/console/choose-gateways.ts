import { HttpProblem } from "../errors.ts";
import { parseFilter } from "../fleet/filter.ts";
import type { FleetEntry } from "../fleet/fleet-index.ts";
import type { RouteParts } from "../routes/parts.ts";
import type { Owner } from "../store/types.ts";

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
