import type { AppStatus, ProcessStatus } from "../core/app-status.ts";
import { formatUptime } from "../core/uptime.ts";

export interface EngineReportInput {
  readonly apps: readonly AppStatus[];
  readonly engineVersion: string;
  readonly engine: EngineHealth;
  /** Undefined where there is no queue. */
  readonly queue: QueueHealth | undefined;
  readonly nowMs: number;
}

/** How the engine itself is. Times are unix milliseconds. */
export interface EngineHealth {
  readonly uptimeMs: number;
  /** The last that succeeded; undefined before the first of this process. */
  readonly lastCheckInMs: number | undefined;
  /** The newest failure, also where success has followed. */
  readonly lastFailure: { readonly text: string; readonly atMs: number } | undefined;
  /** Undefined where the kernel does not tell. */
  readonly diskWrittenInDayBytes: number | undefined;
}

/** How the queue is. */
export interface QueueHealth {
  /** Undefined while it does not serve apps. */
  readonly uptimeMs: number | undefined;
  readonly entries: number;
  readonly bytes: number;
  readonly oldestWaitedMs: number | undefined;
  /** Entries dropped by a limit, ever. */
  readonly dropped: number;
  readonly deadLetters: number;
}

/** One app's entry; the four keys are fixed, dashboards in the field parse them. */
interface Entry {
  readonly status: string;
  readonly uptime: string;
  readonly exitstatus: number;
  readonly version: string;
  /** Of apps: starts after an end that nobody asked for. */
  readonly restarts?: number;
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

const dayMs = 86_400_000;
/** Of an error's text the start says what it is; the log has all of it. */
const longestError = 200;

/** The `engine_report` dataport: a list of one-key objects, the engine itself included (spec: gateway-engine.md). */
export function engineReport({ apps, engineVersion, engine, queue, nowMs }: EngineReportInput): string {
  const entries: Record<string, Entry>[] = apps.map((app) => ({ [app.name]: appEntry(app, nowMs) }));
  entries.push({ gwe: { ...partEntry(engine.uptimeMs, engineVersion), ...engineFacts(engine, nowMs) } });
  entries.push({ gmq: { ...partEntry(queue?.uptimeMs, engineVersion), ...(queue && queueFacts(queue)) } });
  return JSON.stringify({ apps: entries });
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

function engineFacts(
  { lastCheckInMs, lastFailure, diskWrittenInDayBytes }: EngineHealth,
  nowMs: number,
): object {
  const isRecent = lastFailure !== undefined && nowMs - lastFailure.atMs < dayMs;
  return {
    ...(lastCheckInMs !== undefined && { last_check_in: unixSeconds(lastCheckInMs) }),
    ...(isRecent && {
      last_error: lastFailure.text.slice(0, longestError).toWellFormed(),
      last_error_at: unixSeconds(lastFailure.atMs),
    }),
    ...(diskWrittenInDayBytes !== undefined && { disk_written_24h: diskWrittenInDayBytes }),
  };
}

function queueFacts({ entries, bytes, oldestWaitedMs, dropped, deadLetters }: QueueHealth): object {
  return {
    entries,
    ...(dropped > 0 && { dropped }),
    ...(deadLetters > 0 && { dead_letters: deadLetters }),
    ...(entries > 0 && { bytes, oldest: Math.round((oldestWaitedMs ?? 0) / 1000) }),
  };
}

function unixSeconds(ms: number): number {
  return Math.floor(ms / 1000);
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
    ...(one.restarts > 0 && { restarts: one.restarts }),
    ...(one.signal !== undefined && { signal: one.signal }),
    ...(one.detail !== undefined && { detail: one.detail }),
    ...(one.health !== undefined && { health: one.health, health_restarts: one.healthRestarts ?? 0 }),
    ...(one.healthDetail !== undefined && { health_detail: one.healthDetail }),
  };
}
