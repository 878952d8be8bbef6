import type { AppStatus } from "../core/app-status.ts";
import { formatUptime } from "../core/uptime.ts";

export interface EngineReportInput {
  readonly apps: readonly AppStatus[];
  readonly engineVersion: string;
  readonly engineUptimeMs: number;
  /** Undefined while the queue does not serve apps. */
  readonly queueUptimeMs: number | undefined;
  readonly nowMs: number;
}

/** One app's entry; the four keys are fixed, dashboards in the field parse them. */
interface Entry {
  readonly status: string;
  readonly uptime: string;
  readonly exitstatus: number;
  readonly version: string;
  readonly signal?: string;
  readonly detail?: string;
}

/** The `engine_report` dataport: a list of one-key objects, the engine itself included (spec: gateway-engine.md). */
export function engineReport(input: EngineReportInput): string {
  const apps: Record<string, Entry>[] = input.apps.map((app) => ({ [app.name]: appEntry(app, input.nowMs) }));
  const { engineVersion, engineUptimeMs, queueUptimeMs } = input;
  apps.push({ gwe: partEntry(engineUptimeMs, engineVersion) });
  apps.push({ gmq: partEntry(queueUptimeMs, engineVersion) });
  return JSON.stringify({ apps });
}

/** A part of the engine itself. */
function partEntry(uptimeMs: number | undefined, version: string): Entry {
  return {
    status: uptimeMs === undefined ? "STOPPED" : "RUNNING",
    uptime: uptimeMs === undefined ? "" : formatUptime(uptimeMs),
    exitstatus: 0,
    version,
  };
}

function appEntry(app: AppStatus, nowMs: number): Entry {
  return {
    status: app.state,
    uptime:
      app.startedAtMs === undefined || app.pid === undefined ? "" : formatUptime(nowMs - app.startedAtMs),
    exitstatus: app.exitStatus ?? 0,
    version: app.version,
    ...(app.signal !== undefined && { signal: app.signal }),
    ...(app.detail !== undefined && { detail: app.detail }),
  };
}
