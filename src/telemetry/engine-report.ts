import type { AppStatus, ProcessStatus } from "../core/app-status.ts";
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
  /** Of an app with several: each of its processes. */
  readonly processes?: readonly ProcessEntry[];
  readonly health?: string;
  readonly health_restarts?: number;
  readonly health_detail?: string;
}

interface ProcessEntry extends Omit<Entry, "version" | "processes"> {
  readonly name: string;
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
  const { version, processes } = app;
  const { status, uptime, exitstatus, ...more } = processEntry(app, nowMs);
  return {
    status,
    uptime,
    exitstatus,
    version,
    ...more,
    ...(processes !== undefined && {
      processes: processes.map((one) => ({ name: one.name, ...processEntry(one, nowMs) })),
    }),
  };
}

function processEntry(one: ProcessStatus, nowMs: number): Omit<ProcessEntry, "name"> {
  const isUp = one.startedAtMs !== undefined && one.pid !== undefined;
  return {
    status: one.state,
    uptime: isUp ? formatUptime(nowMs - (one.startedAtMs ?? nowMs)) : "",
    exitstatus: one.exitStatus ?? 0,
    ...(one.signal !== undefined && { signal: one.signal }),
    ...(one.detail !== undefined && { detail: one.detail }),
    ...(one.health !== undefined && { health: one.health, health_restarts: one.healthRestarts ?? 0 }),
    ...(one.healthDetail !== undefined && { health_detail: one.healthDetail }),
  };
}
