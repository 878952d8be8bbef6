import { by, counter, gauge, type Histogram, histogram } from "../../core/prometheus.ts";
import type { QueueIdentity, QueueStatus, UploadStats } from "../types.ts";

export interface MetricsInput {
  readonly status: QueueStatus;
  readonly identities: readonly QueueIdentity[];
  readonly commits: Histogram;
  readonly http: { readonly connections: number; readonly answers: ReadonlyMap<number, number> };
  readonly uploads: UploadStats;
}

/** What `/metrics` tells of the queue. */
export function formatMetrics(input: MetricsInput): string {
  return [...families(input)].join("");
}

function* families({ status, identities, commits, http, uploads }: MetricsInput): Generator<string> {
  const { counts } = status;
  yield gauge("gmq_entries", "Entries that wait for upload.", [[{}, status.entries]]);
  yield gauge("gmq_bytes", "Bytes of the entries that wait, as the limits count them.", [[{}, status.bytes]]);
  yield gauge("gmq_oldest_entry_age_seconds", "How long the oldest entry has waited; 0 when none waits.", [
    [{}, (status.oldestWaitedMs ?? 0) / 1000],
  ]);
  const nameOf = new Map(identities.map((identity) => [identity.id, identityName(identity)]));
  yield gauge(
    "gmq_identity_entries",
    "Entries that wait, by identity and lane.",
    status.waiting.map(({ identityId, lane, entries }) => [
      { identity: nameOf.get(identityId) ?? String(identityId), lane },
      entries,
    ]),
  );
  yield gauge("gmq_file_bytes", "Size of the database file.", [[{}, status.fileBytes]]);
  yield gauge("gmq_writable", "1 while the disk takes what is written.", [[{}, status.isWritable ? 1 : 0]]);
  yield gauge("gmq_dead_letters", "Entries set aside, to be looked at.", [[{}, status.deadLetters]]);
  yield counter("gmq_accepted_entries_total", "Entries accepted.", [[{}, counts.accepted]]);
  yield counter("gmq_delivered_entries_total", "Entries that Murano has.", [[{}, counts.delivered]]);
  yield counter("gmq_dropped_entries_total", "Entries dropped by a limit.", by("cause", counts.dropped));
  yield counter("gmq_moved_entries_total", "Entries that got another second than their own.", [
    [{}, counts.moved],
  ]);
  yield counter("gmq_estimated_entries_total", "Entries that went out at an estimate of their time.", [
    [{}, counts.estimated],
  ]);
  yield gauge("gmq_held_lanes", "Lanes that wait for the true time to become known.", [
    [{}, status.waiting.filter(({ isHeld }) => isHeld).length],
  ]);
  yield counter("gmq_dead_entries_total", "Entries that became dead letters.", by("reason", counts.dead));
  yield counter("gmq_dead_letters_dropped_total", "Dead letters that gave way to newer ones.", [
    [{}, counts.deadDropped],
  ]);
  yield histogram("gmq_commit_duration_seconds", "Duration of commits.", commits);
  yield gauge("gmq_http_connections", "Open connections of apps.", [[{}, http.connections]]);
  yield counter("gmq_http_answers_total", "Answers to apps.", by("status", Object.fromEntries(http.answers)));
  yield counter(
    "gmq_upload_requests_total",
    "Requests to Murano since the start.",
    by("result", Object.fromEntries(uploads.requests)),
  );
  yield counter("gmq_uploaded_entries_total", "Entries in requests that Murano took since the start.", [
    [{}, uploads.entries],
  ]);
  yield counter("gmq_uploaded_bytes_total", "Bytes of those entries.", [[{}, uploads.bytes]]);
  yield gauge("gmq_online", "1 while Murano is reached.", [[{}, uploads.isOnline ? 1 : 0]]);
}

/** No secret: one that is known by its CIK alone goes by its number. */
function identityName({ id, vms }: QueueIdentity): string {
  return vms === undefined ? `#${id}` : `${vms.vendor} ${vms.model} ${vms.sn}`;
}
