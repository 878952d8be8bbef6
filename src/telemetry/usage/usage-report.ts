import type { ConsumerUsage, UsageState } from "./usage-state.ts";

/** More interfaces (a container host's) would fill the dataport and help nobody: the busiest are told. */
const mostInterfaces = 32;

/**
 * The `usage_report` dataport (spec: gateway-engine.md). Beside the fixed keys `rx`, `tx` (bytes of all programs, by the
 * kernel's counters) and `since` (unix seconds). An interface without traffic is left out, and so is the loopback
 * unless requests went that way.
 */
export function usageReport({ interfaces }: UsageState): string {
  const told = Object.entries(interfaces)
    .filter(([name, { rx, tx, consumers }]) => hasAny(consumers) || (name !== "lo" && rx + tx > 0))
    .sort(([a, left], [b, right]) => rank(a) - rank(b) || right.rx + right.tx - left.rx - left.tx)
    .slice(0, mostInterfaces);
  return JSON.stringify(
    Object.fromEntries(
      told.map(([name, { since, rx, tx, consumers }]) => {
        const byBytes = Object.entries(consumers).sort(([, a], [, b]) => total(b) - total(a));
        return [
          name,
          {
            top_consumer: byBytes[0]?.[0] ?? "",
            consumers: Object.fromEntries(byBytes.map(([consumer, usage]) => [consumer, row(usage)])),
            rx,
            tx,
            since,
          },
        ];
      }),
    ),
  );
}

function hasAny(consumers: object): boolean {
  return Object.keys(consumers).length > 0;
}

/** Bytes that cost money come first. */
function rank(name: string): number {
  return /^(ppp|wwan|wwp|usb)/.test(name) ? 0 : 1;
}

function total({ totalRx, totalTx }: ConsumerUsage): number {
  return totalRx + totalTx;
}

function row({ totalRx, maxRx, totalTx, maxTx, requests }: ConsumerUsage): object {
  return { tot_rx: totalRx, max_rx: maxRx, tot_tx: totalTx, max_tx: maxTx, num: requests };
}
