import type { BudgetConfig } from "../config/index.ts";
import type { Clock } from "../core/clock.ts";
import type { Hold } from "../core/hold.ts";
import type { Logger } from "../core/logger.ts";
import type { EngineFacts } from "../engine/index.ts";
import {
  type Budget,
  type BudgetLevel,
  type BudgetStanding,
  type BudgetState,
  holdOf,
  isOfBudget,
  levelOf,
  parseBudgetState,
  spend,
  strictest,
} from "../telemetry/index.ts";
import type { ClockKeeper } from "./clock-keeper.ts";

export interface TrafficBudgetsOptions {
  readonly budgets: ReadonlyMap<string, BudgetConfig>;
  readonly facts: Pick<EngineFacts, "budgets" | "setBudgets">;
  readonly clock: Clock;
  readonly keeper: Pick<ClockKeeper, "isBelievable">;
  readonly logger: Logger;
}

const kibi = 1024;
const mebi = 1024 * 1024;

/** What was spent of the budgets that `Engine.config` sets, and what that holds. */
export class TrafficBudgets {
  private readonly options: TrafficBudgetsOptions;
  private readonly budgets: readonly Budget[];
  private state: BudgetState;
  private levels: ReadonlyMap<string, BudgetLevel> = new Map();

  constructor(options: TrafficBudgetsOptions) {
    this.options = options;
    this.budgets = Array.from(options.budgets, ([interfaces, config]) => budgetOf(interfaces, config));
    this.state = parseBudgetState(options.facts.budgets());
    this.spend(new Map());
  }

  get areSet(): boolean {
    return this.budgets.length > 0;
  }

  /** @param flows bytes since the last call, by interface. @returns whether a level has changed */
  spend(flows: ReadonlyMap<string, number>): boolean {
    const { clock, keeper } = this.options;
    const time = { nowMs: clock.now(), isTimeKnown: keeper.isBelievable };
    this.state = Object.fromEntries(
      this.budgets.map((budget) => {
        const own = Array.from(flows).filter(([name]) => isOfBudget(budget, name));
        const bytes = own.reduce((sum, [, flowed]) => sum + flowed, 0);
        return [budget.interfaces, spend(this.state[budget.interfaces], budget, { bytes, ...time })];
      }),
    );
    return this.haveLevelsChanged();
  }

  standings(): readonly BudgetStanding[] {
    return this.budgets.flatMap((budget) => {
      const spent = this.state[budget.interfaces];
      return spent === undefined ? [] : [{ budget, spent, level: levelOf(budget, spent) }];
    });
  }

  /** What goes over this interface and has to wait; nothing where the interface is not known. */
  holdOn(name: string | undefined): Hold {
    if (name === undefined) return "nothing";
    const own = this.standings().filter(({ budget }) => isOfBudget(budget, name));
    return strictest(own.map(({ budget, level }) => holdOf(budget, level)));
  }

  /** Changes with the levels. */
  digest(): string {
    return JSON.stringify(Array.from(this.levels));
  }

  /** Durable with the caller's transaction. */
  save(): void {
    if (this.areSet) this.options.facts.setBudgets(this.state);
  }

  private haveLevelsChanged(): boolean {
    const before = this.levels;
    this.levels = new Map(this.standings().map(({ budget, level }) => [budget.interfaces, level]));
    let isChanged = false;
    for (const [interfaces, level] of this.levels) {
      const was = before.get(interfaces);
      if (was === undefined || was === level) continue;
      isChanged = true;
      this.options.logger[level === "ok" ? "info" : "warn"]("a traffic budget's level changed", {
        interfaces,
        from: was,
        to: level,
      });
    }
    return isChanged;
  }
}

function budgetOf(
  interfaces: string,
  { dailyKib, monthlyMib, warningPercent, resetDay, action }: BudgetConfig,
): Budget {
  return {
    interfaces,
    dailyBytes: dailyKib === 0 ? undefined : dailyKib * kibi,
    monthlyBytes: monthlyMib === 0 ? undefined : monthlyMib * mebi,
    warningPercent,
    resetDay,
    action,
  };
}
