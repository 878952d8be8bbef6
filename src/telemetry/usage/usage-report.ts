import type { ConsumerUsage, UsageState } from "./usage-state.ts";

/** More interfaces (a container host's) would fill the dataport and help nobody: the busiest are told. */
const mostInterfaces = 32;
/** What a dataport holds (spec: gateway-engine.md). */
const dataportBytes = 64 * 1024;
/** Of each interface the largest, as many as fit. */
const consumersTold = [65, 32, 16, 8, 4, 2];

/**
 * The `usage_report` dataport (spec: gateway-engine.md). Beside the fixed keys `rx`, `tx` (bytes of all programs, by the
 * kernel's counters) and `since` (unix seconds). An interface without traffic is left out, and so is the loopback
 * unless requests went that way.
 */
export function usageReport(state: UsageState): string {
  for (const consumers of consumersTold) {
    const text = reportOf(state, consumers);
    if (Buffer.byteLength(text) <= dataportBytes) return text;
  }
  return reportOf(state, 1);
}

function reportOf({ interfaces }: UsageState, mostConsumers: number): string {
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
            consumers: Object.fromEntries(
              byBytes.slice(0, mostConsumers).map(([consumer, usage]) => [consumer, row(usage)]),
            ),
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
