import type { Case } from "../case.ts";
import { environmentCases } from "./environment.ts";
import { logCases } from "./logs.ts";
import { policyCases } from "./policy.ts";
import { refusalCases } from "./refusals.ts";
import { signalCases } from "./signals.ts";

/** All configurations × behaviours. */
export const cases: readonly Case[] = [
  ...environmentCases,
  ...policyCases,
  ...signalCases,
  ...logCases,
  ...refusalCases,
];
