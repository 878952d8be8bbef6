import type { ProcessFault, ProcessResult, SupervisedProcess } from "../../core/process-api.ts";
import { formatUptime } from "../../core/uptime.ts";
import { formatName } from "./names.ts";

/** The lines of `status`, in supervisorctl's columns. @param nowMs unix milliseconds */
export function statusLines(processes: readonly SupervisedProcess[], nowMs: number): readonly string[] {
  const names = processes.map(({ group, name }) => formatName(group, name));
  const width = Math.max(30, ...names.map((name) => name.length)) + 3;
  return processes.map(
    (process, index) =>
      `${(names[index] ?? "").padEnd(width)}${process.state.padEnd(10)}${describe(process, nowMs)}`,
  );
}

function describe(process: SupervisedProcess, nowMs: number): string {
  const { name, state, pid, startedAtMs, endedAtMs, spawnError } = process;
  switch (state) {
    case "RUNNING":
      return `pid ${pid ?? 0}, uptime ${formatUptime(nowMs - (startedAtMs ?? nowMs))}`;
    case "BACKOFF":
    case "FATAL":
      if (spawnError !== undefined) return spawnError;
      return endedAtMs === undefined
        ? `unknown error (try "tail ${name}")`
        : "Exited too quickly (process log may have details)";
    case "STOPPED":
    case "EXITED":
      return endedAtMs === undefined ? "Not started" : formatStop(new Date(endedAtMs));
    default:
      return "";
  }
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Nov 26 09:05 PM`, local time, in English whatever the locale. */
function formatStop(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = date.getHours();
  const day = `${months[date.getMonth()]} ${two(date.getDate())}`;
  return `${day} ${two(hours % 12 || 12)}:${two(date.getMinutes())} ${hours < 12 ? "AM" : "PM"}`;
}

const reasons: Readonly<Record<Exclude<ProcessFault, "FAILED">, string>> = {
  BAD_NAME: "no such process",
  BAD_SIGNAL: "bad signal name",
  NO_FILE: "no such file",
  NOT_EXECUTABLE: "file is not executable",
  ABNORMAL_TERMINATION: "abnormal termination",
  SPAWN_ERROR: "spawn error",
  ALREADY_STARTED: "already started",
  NOT_RUNNING: "not running",
};

/** One line for what came of a process. @param done the word for what was done to it */
export function resultLine({ group, name, fault, description }: ProcessResult, done: string): string {
  if (fault === "FAILED") return description;
  if (name === "*") return `${group}: ERROR (no such group)`;
  const label = formatName(group, name);
  return fault === null ? `${label}: ${done}` : `${label}: ERROR (${reasons[fault]})`;
}

/** A line of `avail`. */
export function availLine({ group, name, autostart, priority }: SupervisedProcess): string {
  const start = autostart ? "auto" : "manual";
  return `${formatName(group, name).padEnd(32)} ${"in use".padEnd(9)} ${start.padEnd(9)} ${priority}:${priority}`;
}
