import { textPattern } from "../../core/text-pattern.ts";
import { UsageError } from "../errors.ts";
import { type FleetCall, optionOf } from "./fleet-call.ts";
import type { Serial } from "./owner-api.ts";

export interface SelectionRules {
  /** Without --all, --sn or --group everything is meant: right for a look, too much for a change. */
  readonly allByDefault: boolean;
}

/**
 * The gateways that --product, --sn and --group choose; only those that have a client. All that are given must hold.
 *
 * @throws UsageError where nothing says which
 */
export async function selectGateways(
  call: FleetCall,
  { allByDefault }: SelectionRules,
): Promise<readonly Serial[]> {
  const sn = optionOf(call, "sn");
  const group = optionOf(call, "group");
  if (!allByDefault && sn === undefined && group === undefined && !call.options.has("all")) {
    throw new UsageError("which gateways? give --sn PATTERN, --group GROUP or --all");
  }
  const product = optionOf(call, "product");
  const matches = sn === undefined ? () => true : textPattern(sn);
  const chosen: Serial[] = [];
  for (const name of product === undefined ? await call.owner.products() : [product]) {
    const members =
      group === undefined ? undefined : await membersOf(call, name, group, product !== undefined);
    if (group !== undefined && members === undefined) continue;
    for (const serial of await call.owner.serials(name)) {
      if (serial.rid !== "" && matches(serial.sn) && (members?.has(serial.sn) ?? true)) chosen.push(serial);
    }
  }
  return chosen;
}

/** Undefined for a product without this group, where no product was named. */
async function membersOf(
  call: FleetCall,
  product: string,
  group: string,
  isNamed: boolean,
): Promise<ReadonlySet<string> | undefined> {
  try {
    return await call.owner.groupMembers(product, group);
  } catch (error) {
    const isUnknown = error instanceof Error && "status" in error && error.status === 404;
    if (isUnknown && !isNamed) return undefined;
    throw error;
  }
}
