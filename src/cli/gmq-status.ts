import type { QueueIdentityReport, QueueReport } from "../core/queue-control.ts";
import { parseArguments } from "./arguments.ts";
import { formatDuration } from "./duration.ts";
import { UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { QueueClient } from "./queue-client.ts";
import { table } from "./status-text.ts";

const flags = [{ long: "json", help: "Print it as JSON." }] as const;

/** `gmq status [--json]` */
export async function showQueue(argv: readonly string[], { terminal, paths }: GweContext): Promise<number> {
  const parsed = parseArguments(flags, argv);
  if (parsed.positionals.length > 0) throw new UsageError("usage: gmq status [--json]");
  const report = await new QueueClient({ socketPath: paths.controlSocket }).queue();
  await terminal.write(
    parsed.flags.has("json") ? `${JSON.stringify(report, null, 2)}\n` : describeQueue(report),
  );
  return 0;
}

const heldText = {
  backlog: "the backlog, by a traffic budget (gmq drain sends it)",
  "all-but-urgent": "all but priority 9, by a traffic budget (gmq drain sends it)",
};

/** For a person. */
function describeQueue(report: QueueReport): string {
  const { counts, uploads } = report;
  const oldest =
    report.oldestWaitedMs === null ? "" : `, the oldest for ${formatDuration(report.oldestWaitedMs)}`;
  const facts: [string, string][] = [
    [
      "Waiting",
      report.fileBytes > 0
        ? `${report.entries} entries, ${bytes(report.bytes)}${oldest}`
        : "not known, nor are the counts below: the file could not be opened yet",
    ],
    [
      "File",
      bytes(report.fileBytes) +
        (report.isWritable ? "" : ": takes nothing new, the disk is full (apps get 507) or broken (503)"),
    ],
    ["Murano", report.isOnline ? "reached" : "not reached"],
    ...(report.held === "nothing" ? [] : [["Held", heldText[report.held]] satisfies [string, string]]),
    ["Accepted", String(counts.accepted)],
    ["Delivered", `${counts.delivered}, ${counts.moved} of them moved to another second`],
    ...(counts.estimated > 0
      ? [["Estimated", `${counts.estimated}, of boots that never learned the time`] as [string, string]]
      : []),
    ["Dropped", listed(counts.dropped)],
    ["Dead letters", `${report.deadLetters}; in all ${listed(counts.dead)}`],
    ["Uploads", `${uploads.entries} entries, ${bytes(uploads.bytes)}; requests ${listed(uploads.requests)}`],
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(13)} ${value}`);
  lines.push("");
  if (report.identities.length === 0) lines.push("No identities.");
  else {
    const head = ["ID", "IDENTITY", "STATE", "LIVE", "BACKLOG", "OLDEST", "UPLOAD", "NOTE"];
    lines.push(...table(head, report.identities.map(row)));
  }
  return `${lines.join("\n")}\n`;
}

function row(identity: QueueIdentityReport): readonly string[] {
  return [
    String(identity.id),
    identity.name === "" ? "(by CIK)" : identity.name,
    identity.state,
    String(identity.live),
    String(identity.backlog),
    identity.oldestWaitedMs === null ? "-" : formatDuration(identity.oldestWaitedMs),
    uploadState(identity),
    identity.lastError ?? "",
  ];
}

function uploadState({ isUploading, waitsForTime, failures, retryInMs }: QueueIdentityReport): string {
  if (isUploading) return "under way";
  if (waitsForTime && failures === 0) return "when the time is known";
  return failures === 0 ? "-" : `again in ${Math.ceil(retryInMs / 1000)} s`;
}

function listed(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0);
  return parts.length === 0 ? "0" : parts.map(([name, count]) => `${name} ${count}`).join(", ");
}

function bytes(count: number): string {
  if (count < 1024) return `${count} bytes`;
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} KiB` : `${(count / 1024 / 1024).toFixed(1)} MiB`;
}
