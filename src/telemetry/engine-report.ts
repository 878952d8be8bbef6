import type { AppStatus } from "../core/app-status.ts";
import { formatUptime } from "../core/uptime.ts";

export interface EngineReportInput {
  readonly apps: readonly AppStatus[];
  readonly engineVersion: string;
  readonly engineUptimeMs: number;
  readonly nowMs: number;
  /** The queue lives in the engine's own process; undefined where this run has none. */
  readonly queue: { readonly isListening: boolean } | undefined;
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
  const own = {
    status: "RUNNING",
    uptime: formatUptime(input.engineUptimeMs),
    exitstatus: 0,
    version: input.engineVersion,
  };
  apps.push({ gwe: own });
  if (input.queue !== undefined) {
    apps.push({ gmq: input.queue.isListening ? own : { ...own, status: "BACKOFF", uptime: "" } });
  }
  return JSON.stringify({ apps });
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
