import type { Hold } from "./hold.ts";

/**
 * What `gmq` asks of the running daemon, over the same socket as `gwe` (control-api.ts):
 *
 * - `GET /queue` → 200 `QueueReport`
 * - `GET /queue/dead?limit=N[&before=SEQ]` → 200 `DeadLetterRecord[]`, newest first
 * - `GET /queue/dead/<seq>` → 200 `DeadLetterRecord`; 404
 * - `POST /queue/dead/retry`, `POST /queue/dead/purge` with `DeadLetterChoice` → 200 `{"count":N}`
 * - `POST /queue/drain` → 202: everything is uploaded now
 * - `POST /queue/reread` → 200: `gmq.cfg` and `logging.cfg` are in force; 400 where they are not valid
 */
export interface QueueReport {
  readonly entries: number;
  readonly bytes: number;
  /** Milliseconds; null when nothing waits. */
  readonly oldestWaitedMs: number | null;
  /** Size of `queue.db` with its log. */
  readonly fileBytes: number;
  readonly deadLetters: number;
  /** False while the disk takes nothing: apps get 503. */
  readonly isWritable: boolean;
  /** Whether Murano answered the last request. */
  readonly isOnline: boolean;
  /** What a traffic budget holds. */
  readonly held: Hold;
  /** Entries, since the database began. */
  readonly counts: {
    readonly accepted: number;
    readonly delivered: number;
    readonly moved: number;
    /** At a time that is an estimate (docs/clock.md). */
    readonly estimated: number;
    /** By cause: `bytes`, `entries`, `age`. */
    readonly dropped: Readonly<Record<string, number>>;
    /** By reason: `rejected`, `too-dense`, `unauthorized`. */
    readonly dead: Readonly<Record<string, number>>;
  };
  /** Since the daemon started. */
  readonly uploads: {
    readonly entries: number;
    readonly bytes: number;
    /** Requests by result: a status, or what went wrong. */
    readonly requests: Readonly<Record<string, number>>;
  };
  readonly identities: readonly QueueIdentityReport[];
}

export interface QueueIdentityReport {
  readonly id: number;
  /** `<vendor> <model> <serial>`; empty for one known by its CIK alone. */
  readonly name: string;
  /** `new`, `active`, `unauthorized`. */
  readonly state: string;
  readonly live: number;
  readonly backlog: number;
  readonly oldestWaitedMs: number | null;
  /** Something of it waits for the true time to become known. */
  readonly waitsForTime: boolean;
  /** Failed attempts in a row. */
  readonly failures: number;
  readonly retryInMs: number;
  readonly isUploading: boolean;
  readonly lastError: string | null;
}

export interface DeadLetterRecord {
  readonly seq: number;
  readonly identity: string;
  readonly alias: string;
  readonly value: string;
  /** Unix milliseconds, as accepted. */
  readonly timeMs: number;
  readonly reason: string;
  /** What Murano answered, where it was asked. */
  readonly status: number | null;
  readonly answer: string | null;
  readonly diedAtMs: number;
}

/** Which dead letters: those named, or all. */
export type DeadLetterChoice = { readonly seqs: readonly number[] } | { readonly all: true };
