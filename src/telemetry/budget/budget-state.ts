import * as z from "zod/mini";
import type { BudgetSpending } from "./budget.ts";

const bytes = z.number().check(z.gte(0));
const period = z.object({ startMs: z.number(), bytes, undatedBytes: z.optional(bytes) });
const schema = z.record(z.string(), z.object({ day: period, month: period }));

/** What was spent of each budget, by its interfaces. Plain data, as it is kept on disk. */
export type BudgetState = Readonly<Record<string, BudgetSpending>>;

/** What another version wrote, or damage left, counts as nothing spent. */
export function parseBudgetState(kept: unknown): BudgetState {
  const parsed = schema.safeParse(kept);
  return parsed.success ? parsed.data : {};
}
