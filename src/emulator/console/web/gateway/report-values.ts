import type { Values } from "./gateway-page.tsx";

/** A report's JSON; undefined where it is none. */
export function reportOf(values: Values, alias: string): unknown {
  try {
    return JSON.parse(values[alias]?.value ?? "");
  } catch {
    return undefined; // not written yet, or not JSON: shown as text elsewhere
  }
}

/** What a gateway says of one app. */
export interface AppReport {
  readonly name: string;
  readonly status: string;
  readonly version: string;
  readonly uptime: string;
  readonly detail: string;
  readonly restarts: number | undefined;
}

/** The apps of `engine_report`, the engine's own parts last. */
export function appReports(values: Values): readonly AppReport[] {
  const report = reportOf(values, "engine_report") as { readonly apps?: unknown } | undefined;
  if (!Array.isArray(report?.apps)) return [];
  const entries: readonly Readonly<Record<string, Readonly<Record<string, unknown>>>>[] = report.apps;
  return entries.flatMap((entry) =>
    Object.entries(entry ?? {}).map(([name, app]) => ({
      name,
      status: String(app.status ?? "UNKNOWN"),
      version: String(app.version ?? ""),
      uptime: String(app.uptime ?? ""),
      detail: [app.signal, app.detail, app.health_detail].filter(Boolean).map(String).join(", "),
      restarts: typeof app.restarts === "number" ? app.restarts : undefined,
    })),
  );
}

/** What of the apps is the engine itself, in words. */
export const ownParts: ReadonlyMap<string, string> = new Map([
  ["gwe", "the engine"],
  ["gmq", "its queue"],
]);
