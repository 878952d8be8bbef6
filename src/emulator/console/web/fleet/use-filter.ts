import { useMemo } from "preact/hooks";
import { parseFilter } from "../../../fleet/filter.ts";
import type { Gateway } from "../../../fleet/gateway.ts";

export interface Filtered {
  readonly gateways: readonly Gateway[];
  readonly problem: string | undefined;
}

/** Those of the gateways that a filter chooses, in their order; all while it cannot be read. */
export function useFilter(gateways: readonly Gateway[], filter: string, moment: number): Filtered {
  const parsed = useMemo(() => parseFilter(filter), [filter]);
  return useMemo(() => {
    if (!parsed.ok) return { gateways, problem: parsed.problem };
    return { gateways: gateways.filter((gateway) => parsed.matches(gateway, moment)), problem: undefined };
  }, [gateways, parsed, moment]);
}
