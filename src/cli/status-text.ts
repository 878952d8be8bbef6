import type { AppKind, AppStatus, ProcessStatus } from "../core/app-status.ts";
import type { EngineStatus, JobStatus } from "../core/control-api.ts";
import { formatBytes } from "./bytes.ts";
import { formatDuration } from "./duration.ts";
import { printable } from "./terminal.ts";

/** From there on the system's clock is called wrong: Murano's answers tell whole seconds. */
const wrongMs = 5_000;

/** `gwe status` for a person. @param systemNowMs the system's clock, which the apps' times are by, unix milliseconds */
export function describeStatus(status: EngineStatus, systemNowMs: number): string {
  const { engine, device, checkIn } = status;
  const { nowMs } = status.clock;
  const facts: [string, string][] = [
    ["Engine", `${engine.version}, pid ${engine.pid}, up ${formatDuration(nowMs - engine.startedAtMs)}`],
  ];
  if (engine.home !== null) facts.push(["Home", engine.home]);
  facts.push(
    ["Server", device.server],
    ["Product", device.vendor === device.model ? device.vendor : `${device.vendor} ${device.model}`],
    ["Serial", device.serial],
    ["Activated", device.activated ? "yes" : "no"],
    ["Check-in", describeCheckIn(checkIn, nowMs)],
    ["Clock", describeClock(status.clock)],
  );
  if (checkIn.lastError !== null) facts.push(["Last error", checkIn.lastError]);
  if (status.outbox.waiting > 0)
    facts.push(["Reports", `${status.outbox.waiting} waiting for the next check-in`]);
  const lines = facts.map(([name, value]) => `${name.padEnd(11)} ${printable(value)}`);
  if (status.jobs.length > 0)
    lines.push("", ...table(["INSTALLING", "VERSION", "STEP", "PROGRESS"], status.jobs.map(jobRow)));
  const apps = status.apps.length === 0 ? "No applications.\n" : describeApps(status.apps, systemNowMs);
  return `${lines.join("\n")}\n\n${apps}`;
}

/** Applications as a table. @param nowMs wall clock, unix milliseconds */
export function describeApps(apps: readonly AppStatus[], nowMs: number): string {
  const rows = apps.flatMap((app) => appRows(app, nowMs));
  const lines = table(["APP", "VERSION", "STATE", "UPTIME", "RESTARTS", "PID", "NOTE"], rows);
  return `${lines.join("\n")}\n`;
}

/** One app as `gwe start|stop|restart` answer it. */
export function describeApp(app: AppStatus): string {
  const note = noteOf(app);
  return printable(`${app.name}: ${app.state}${note === "" ? "" : ` (${note})`}`);
}

function describeCheckIn(checkIn: EngineStatus["checkIn"], nowMs: number): string {
  const { lastSuccessAtMs: last, nextAtMs: next } = checkIn;
  const parts = [
    checkIn.mode === "long-poll"
      ? `long poll, at least every ${formatDuration(checkIn.intervalS * 1000)}`
      : `every ${formatDuration(checkIn.intervalS * 1000)}`,
    last === null ? "none so far" : `last ${formatDuration(nowMs - last)} ago`,
  ];
  if (next !== null) parts.push(next <= nowMs ? "next now" : `next in ${formatDuration(next - nowMs)}`);
  return parts.join(", ");
}

const witnesses: Readonly<Record<string, string>> = {
  system: "right, says the system",
  murano: "right, says Murano",
  kept: "right, as an earlier run of the engine knew",
  assumed: "taken for right: nobody says otherwise",
};

function describeClock({ trustedBy, wallErrorMs }: EngineStatus["clock"]): string {
  if (trustedBy === null || wallErrorMs === null) return "not trusted: nobody has told the time yet";
  if (Math.abs(wallErrorMs) < wrongMs) return witnesses[trustedBy] ?? trustedBy;
  const direction = wallErrorMs > 0 ? "ahead" : "behind";
  const witness = trustedBy === "murano" ? "Murano" : trustedBy;
  return `the system's is ${formatDuration(Math.abs(wallErrorMs))} ${direction} (${witness}): the engine goes by the true time`;
}

function jobRow(job: JobStatus): readonly string[] {
  return [job.app, job.version, job.state, jobProgress(job)];
}

/** How far a download is; empty for what is none. */
export function jobProgress({ receivedBytes: got, totalBytes: all }: JobStatus): string {
  return got !== undefined && all ? `${Math.floor((100 * got) / all)} % of ${formatBytes(all)}` : "";
}

/** The app's, and below it those of its processes where it has several. */
function appRows(app: AppStatus, nowMs: number): readonly (readonly string[])[] {
  const { processes = [] } = app;
  return [
    row(app, app.name, app.version, nowMs, app.kind),
    ...(processes.length > 1 ? processes.map((one) => row(one, `  ${one.name}`, "", nowMs)) : []),
  ];
}

function row(
  one: ProcessStatus,
  name: string,
  version: string,
  nowMs: number,
  kind: AppKind = "long-running",
): readonly string[] {
  const running = one.state === "RUNNING" && one.startedAtMs !== undefined;
  return [
    name,
    version,
    kind === "long-running" ? one.state : kind,
    running ? formatDuration(nowMs - (one.startedAtMs ?? nowMs)) : "-",
    kind === "long-running" ? String(one.restarts) : "-",
    one.pid === undefined ? "-" : String(one.pid),
    noteOf(one),
  ];
}

function noteOf(app: ProcessStatus): string {
  if (app.detail !== undefined) return app.detail;
  if (app.health === "failing") return `unhealthy: ${app.healthDetail ?? ""}`;
  if (app.state === "RUNNING" || app.state === "STARTING") return "";
  if (app.signal !== undefined) return `killed by ${app.signal}`;
  return app.exitStatus === undefined ? "" : `exit status ${app.exitStatus}`;
}

/** Columns as wide as they need be; the head first. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [head, ...rows.map((row) => row.map(printable))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
