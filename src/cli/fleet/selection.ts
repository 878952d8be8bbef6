import { tagsOf } from "../../core/tags.ts";
import { textPattern } from "../../core/text-pattern.ts";
import { UsageError } from "../errors.ts";
import { type FleetCall, optionOf } from "./fleet-call.ts";
import type { Serial } from "./owner-api.ts";

export interface SelectionRules {
  /** Without --all, --sn, --tag or --group everything is meant: right for a look, too much for a change. */
  readonly allByDefault: boolean;
}

/**
 * The gateways that --product, --sn, --tag and --group choose; only those that have a client. All that are given must hold.
 *
 * @throws UsageError where nothing says which
 */
export async function selectGateways(
  call: FleetCall,
  { allByDefault }: SelectionRules,
): Promise<readonly Serial[]> {
  const sn = optionOf(call, "sn");
  const tag = optionOf(call, "tag");
  const group = optionOf(call, "group");
  const isChosen = [sn, tag, group].some((one) => one !== undefined);
  if (!allByDefault && !isChosen && !call.options.has("all")) {
    throw new UsageError("which gateways? give --sn PATTERN, --tag TAG, --group GROUP or --all");
  }
  const product = optionOf(call, "product");
  const isSerial = sn === undefined ? () => true : textPattern(sn);
  const isTag = tag === undefined ? undefined : textPattern(tag);
  const matches = (serial: Serial) =>
    serial.rid !== "" && isSerial(serial.sn) && (!isTag || tagsOf(serial.extra).some(isTag));
  const chosen: Serial[] = [];
  for (const name of product === undefined ? await call.owner.products() : [product]) {
    const members =
      group === undefined ? undefined : await membersOf(call, name, group, product !== undefined);
    if (group !== undefined && members === undefined) continue;
    for (const serial of await call.owner.serials(name)) {
      if (matches(serial) && (members?.has(serial.sn) ?? true)) chosen.push(serial);
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
