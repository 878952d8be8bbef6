import type { IniDocument } from "../core/ini.ts";
import type { ConfigFault } from "./errors.ts";
import { budgetOptions } from "./options.ts";
import type { SectionReader } from "./section-reader.ts";
import type { BudgetConfig } from "./types.ts";

const prefix = "budget:";
const interfacePattern = /^([^\s/*]{1,15}|[^\s/*]{0,14}\*)$/;

/** The sections `[budget:<interfaces>]`. What is invalid is noted as a fault. */
export function readBudgets(
  document: IniDocument,
  sections: (name: string) => SectionReader,
  { file, faults }: { readonly file: string; readonly faults: ConfigFault[] },
): ReadonlyMap<string, BudgetConfig> {
  const names = new Set(
    document.entries.map(({ section }) => section).filter((name) => name.startsWith(prefix)),
  );
  const budgets = new Map<string, BudgetConfig>();
  for (const section of names) {
    const interfaces = section.slice(prefix.length);
    const before = faults.length;
    const budget = sections(section).readAll<BudgetConfig>(budgetOptions);
    if (!interfacePattern.test(interfaces)) {
      const expected = `[${section}]: expected [budget:ppp0], or [budget:ppp*] for several interfaces together`;
      faults.push({ file, section, expected });
    } else if (faults.length === before && budget.dailyKib === 0 && budget.monthlyMib === 0) {
      faults.push({ file, section, expected: `[${section}] needs daily_kib or monthly_mib` });
    }
    budgets.set(interfaces, Object.freeze(budget));
  }
  return budgets;
}
