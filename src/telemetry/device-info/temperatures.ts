import type { Temperature } from "./facts.ts";

/** Millidegrees as sysfs gives them; undefined for what no sensor of a living machine reads (-273 for "not connected"). */
export function parseTemperature(sensor: string, millidegrees: string | undefined): Temperature | undefined {
  const value = Number((millidegrees ?? "").trim() || Number.NaN) / 1000;
  if (!(value > -60 && value < 250)) return undefined;
  return { sensor: sensor.trim(), celsius: Math.round(value * 10) / 10 };
}
