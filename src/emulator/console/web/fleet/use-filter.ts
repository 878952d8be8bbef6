import { useMemo } from "preact/hooks";
import { parseFilter } from "../../../fleet/filter.ts";
import type { Gateway } from "../../../fleet/gateway.ts";

export interface Filtered {
  readonly gateways: readonly Gateway[];
  readonly problem: string | undefined;
}

const everyMs = 5000;

/** Those of the gateways that a filter chooses; all while it cannot be read. */
export function useFilter(gateways: readonly Gateway[], filter: string, now: number): Filtered {
  const parsed = useMemo(() => parseFilter(filter), [filter]);
  // Who is online changes with time alone; once in a while is soon enough.
  const moment = Math.floor((now * 1000) / everyMs);
  // `moment` stands for `now`.
  return useMemo(() => {
    if (!parsed.ok) return { gateways, problem: parsed.problem };
    return { gateways: gateways.filter((gateway) => parsed.matches(gateway, now)), problem: undefined };
  }, [gateways, parsed, moment]);
}
