import { type BudgetStanding, budgetLevels, holdOf } from "../budget/budget.ts";
import type { ConsumerUsage, UsageState } from "./usage-state.ts";

/** More interfaces (a container host's) would fill the dataport and help nobody: the busiest are told. */
const mostInterfaces = 32;
/** What a dataport holds (spec: gateway-engine.md). */
const dataportBytes = 64 * 1024;
/** Of each interface the largest, as many as fit. */
const consumersTold = [65, 32, 16, 8, 4, 2];

/** The budgets of one interface. */
type BudgetsOf = (name: string) => readonly BudgetStanding[];

/**
 * The `usage_report` dataport (spec: gateway-engine.md). Beside the fixed keys `rx`, `tx` (bytes of all programs, by the
 * kernel's counters) and `since` (unix seconds). An interface without traffic is left out, and so is the loopback
 * unless requests went that way. An interface with a budget has scalars of it, too.
 */
export function usageReport(state: UsageState, budgetsOf: BudgetsOf = () => []): string {
  for (const consumers of consumersTold) {
    const text = reportOf(state, consumers, budgetsOf);
    if (Buffer.byteLength(text) <= dataportBytes) return text;
  }
  return reportOf(state, 1, budgetsOf);
}

function reportOf({ interfaces }: UsageState, mostConsumers: number, budgetsOf: BudgetsOf): string {
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
            ...budgetScalars(budgetsOf(name)),
          },
        ];
      }),
    ),
  );
}

/** Where several budgets hold for an interface, the one that is worst off. */
function budgetScalars(standings: readonly BudgetStanding[]): object {
  const severity = ({ level }: BudgetStanding): number => budgetLevels.indexOf(level);
  const [worst] = standings.toSorted((a, b) => severity(b) - severity(a));
  if (worst === undefined) return {};
  const { budget, spent, level } = worst;
  const held = holdOf(budget, level);
  return {
    budget: level,
    ...(held !== "nothing" && { held }),
    ...(budget.dailyBytes !== undefined && { day_bytes: spent.day.bytes, day_limit: budget.dailyBytes }),
    ...(budget.monthlyBytes !== undefined && {
      month_bytes: spent.month.bytes,
      month_limit: budget.monthlyBytes,
    }),
  };
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
