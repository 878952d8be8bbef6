import { setTimeout as delay } from "node:timers/promises";
import type { QueueReport } from "../core/queue-control.ts";
import { type Flag, parseArguments } from "./arguments.ts";
import { TryLaterError, UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { QueueClient } from "./queue-client.ts";
import { TransferProgress } from "./transfer-progress.ts";

const usage = "usage: gmq drain [--timeout SECONDS]";
const flags: readonly Flag[] = [
  { long: "timeout", takes: "value", value: "SECONDS", help: "Give up after so long." },
];

const lookMs = 250;

/**
 * `gmq drain`: resolves when everything that waited at its start is delivered or set aside.
 * @throws TryLaterError when Murano takes nothing now, or the time is up
 */
export async function drain(argv: readonly string[], { terminal, paths }: GweContext): Promise<number> {
  const { flags: given, positionals } = parseArguments(flags, argv);
  const timeout = given.get("timeout")?.[0] ?? "2000000";
  if (positionals.length > 0 || !/^\d{1,7}$/.test(timeout)) throw new UsageError(usage);
  const client = new QueueClient({ socketPath: paths.controlSocket });
  const startedMs = performance.now();
  const first = await client.queue();
  await client.drain();
  const progress = new TransferProgress({
    terminal,
    what: "entries",
    format: (entries) => String(Math.round(entries)),
    nowMs: () => performance.now(),
  });
  for (;;) {
    await delay(lookMs);
    const report = await client.queue();
    const elapsedMs = performance.now() - startedMs;
    const done = answered(report) - answered(first);
    progress.show(done, done + report.entries);
    if (isDrained(report, elapsedMs)) {
      progress.end();
      const all = first.entries === 1 ? "1 entry" : `${first.entries} entries`;
      await terminal.write(`Nothing waits any more of ${all}${losses(first, report)}.\n`);
      return 0;
    }
    const reason = stalledBy(report) ?? (elapsedMs > Number(timeout) * 1000 ? "the time is up" : undefined);
    if (reason === undefined) continue;
    progress.end();
    throw new TryLaterError(`${report.entries} entries still wait: ${reason}`);
  }
}

/** What came in since the start may wait. */
function isDrained({ entries, oldestWaitedMs }: QueueReport, elapsedMs: number): boolean {
  return entries === 0 || (oldestWaitedMs !== null && oldestWaitedMs < elapsedMs - lookMs);
}

/** Why nothing moves, where every identity that has something waits after a failure. */
function stalledBy({ identities }: QueueReport): string | undefined {
  const waiting = identities.filter(({ live, backlog }) => live + backlog > 0);
  const isStalled = waiting.every(
    ({ failures, isUploading, retryInMs }) => failures > 0 && !isUploading && retryInMs > 0,
  );
  return waiting.length > 0 && isStalled ? (waiting[0]?.lastError ?? "Murano takes nothing") : undefined;
}

/** Entries that are no longer in the queue, for whatever reason. */
function answered({ counts }: QueueReport): number {
  return counts.delivered + sum(counts.dropped) + sum(counts.dead);
}

/** What did not reach Murano meanwhile. */
function losses(first: QueueReport, last: QueueReport): string {
  const dead = sum(last.counts.dead) - sum(first.counts.dead);
  const dropped = sum(last.counts.dropped) - sum(first.counts.dropped);
  const told = dead > 0 ? [`${dead} became dead letters (gmq dead list)`] : [];
  if (dropped > 0) told.push(`${dropped} were dropped`);
  return told.length === 0 ? "" : `: ${told.join(", ")}`;
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
