import type { Hold } from "../../core/hold.ts";

export type BudgetAction = "report" | "hold-backlog" | "hold-all-but-urgent";

/** How much may flow over an interface, both ways and of all programs. */
export interface Budget {
  /** An interface's name, or the beginning of several with a `*` behind it. */
  readonly interfaces: string;
  /** Undefined: no limit. */
  readonly dailyBytes: number | undefined;
  readonly monthlyBytes: number | undefined;
  /** Share of a limit, in percent, from which on it is told that it comes near. */
  readonly warningPercent: number;
  /** Day of the month, 1 to 28, on which the month begins. */
  readonly resetDay: number;
  /** What is done while a limit is exceeded, beside telling. */
  readonly action: BudgetAction;
}

export const budgetLevels = ["ok", "warning", "exceeded"] as const;
export type BudgetLevel = (typeof budgetLevels)[number];

export function isOfBudget({ interfaces }: Pick<Budget, "interfaces">, name: string): boolean {
  return interfaces.endsWith("*") ? name.startsWith(interfaces.slice(0, -1)) : name === interfaces;
}

/** What flowed in one period. */
export interface PeriodSpending {
  /** Unix milliseconds. */
  readonly startMs: number;
  readonly bytes: number;
  /** Of these, what flowed while nobody knew the time: it may belong to a later period. */
  readonly undatedBytes?: number | undefined;
}

export interface BudgetSpending {
  readonly day: PeriodSpending;
  readonly month: PeriodSpending;
}

/** A budget as it stands. */
export interface BudgetStanding {
  readonly budget: Budget;
  readonly spent: BudgetSpending;
  readonly level: BudgetLevel;
}

const dayMs = 86_400_000;
/**
 * Adds what flowed, and begins new periods where it is time to. While the time is not known none begins, and what flows then
 * is taken along into the one that does when it is; a clock that was set back takes along all: a budget is not forgotten
 * for a wrong clock.
 */
export function spend(
  spent: BudgetSpending | undefined,
  { resetDay }: Pick<Budget, "resetDay">,
  flow: { readonly bytes: number; readonly nowMs: number; readonly isTimeKnown: boolean },
): BudgetSpending {
  const { bytes, nowMs, isTimeKnown } = flow;
  const startMs = { day: Math.floor(nowMs / dayMs) * dayMs, month: startOfMonth(nowMs, resetDay) };
  const add = (before: PeriodSpending | undefined, start: number): PeriodSpending => {
    const { startMs: begun = start, bytes: spentBytes = 0, undatedBytes = 0 } = before ?? {};
    if (!isTimeKnown) {
      return { startMs: begun, bytes: spentBytes + bytes, undatedBytes: undatedBytes + bytes };
    }
    return { startMs: start, bytes: bytes + (start > begun ? undatedBytes : spentBytes) };
  };
  return { day: add(spent?.day, startMs.day), month: add(spent?.month, startMs.month) };
}

/** UTC. */
function startOfMonth(nowMs: number, resetDay: number): number {
  const now = new Date(nowMs);
  const month = now.getUTCDate() < resetDay ? now.getUTCMonth() - 1 : now.getUTCMonth();
  return Date.UTC(now.getUTCFullYear(), month, resetDay);
}

export function levelOf(budget: Budget, spent: BudgetSpending): BudgetLevel {
  const shares = [
    shareOf(spent.day.bytes, budget.dailyBytes),
    shareOf(spent.month.bytes, budget.monthlyBytes),
  ];
  const share = Math.max(...shares);
  if (share >= 1) return "exceeded";
  return share * 100 >= budget.warningPercent ? "warning" : "ok";
}

function shareOf(bytes: number, limit: number | undefined): number {
  return limit === undefined ? 0 : bytes / limit;
}

/** What a budget keeps back at this level. */
export function holdOf({ action }: Pick<Budget, "action">, level: BudgetLevel): Hold {
  if (level !== "exceeded" || action === "report") return "nothing";
  return action === "hold-backlog" ? "backlog" : "all-but-urgent";
}

/** Of several holds the strictest. */
export function strictest(holds: readonly Hold[]): Hold {
  if (holds.includes("all-but-urgent")) return "all-but-urgent";
  return holds.includes("backlog") ? "backlog" : "nothing";
}
