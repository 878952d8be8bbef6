/** What the queue's parts agree on: docs/queue.md tells how they work together. */

/** How Murano tells devices apart: vendor, model and serial number. */
export interface Vms {
  readonly vendor: string;
  readonly model: string;
  readonly sn: string;
}

/** Who is asking (spec: gmq.md). An identity known by its CIK alone can write, but not be activated again. */
export type Caller = ({ readonly kind: "vms" } & Vms) | { readonly kind: "cik"; readonly cik: string };

/**
 * - `new`: never activated
 * - `active`: the CIK was accepted, or is not yet known to be refused
 * - `unauthorized`: Murano answered 401 and no way out was found yet
 */
export type IdentityState = "new" | "active" | "unauthorized";

export interface QueueIdentity {
  /** Stable, never reused. */
  readonly id: number;
  /** Undefined for an identity known by its CIK alone. */
  readonly vms: Vms | undefined;
  /** A secret: kept until a new one is durable. Undefined while there is none. */
  readonly cik: string | undefined;
  readonly state: IdentityState;
  /** Unix milliseconds of the first 401 that no later success has followed. */
  readonly unauthorizedSinceMs: number | undefined;
  /** For `gmq status`: why the last activation or upload failed; no secret. */
  readonly lastError: string | undefined;
}

export type IdentityChange = Partial<
  Pick<QueueIdentity, "cik" | "state" | "unauthorizedSinceMs" | "lastError">
>;

/** The identities, in memory and durable. Every promise resolves after the commit. */
export interface IdentityStore {
  list(): readonly QueueIdentity[];
  get(id: number): QueueIdentity | undefined;
  find(caller: Caller): QueueIdentity | undefined;
  /** Finds it or makes it durable. @throws QueueFullError when there are as many as there may be */
  register(caller: Caller): Promise<QueueIdentity>;
  change(id: number, change: IdentityChange): Promise<QueueIdentity>;
}

/**
 * `live`: writes of apps, uploaded at once and ahead of any backlog. `backlog`: records, and writes that could not be
 * uploaded at once.
 */
export type Lane = "live" | "backlog";

/** Who stamped an entry: the app, or the queue at receipt (those are corrected when the clock was wrong). */
export type StampedBy = "app" | "queue";

/** One request's points of one alias: `times[i]` (unix milliseconds, whole) belongs to `values[i]`. */
export interface Series {
  readonly alias: string;
  readonly times: readonly number[];
  readonly values: readonly string[];
}

export interface AppendRequest {
  readonly caller: Caller;
  /** A live one goes to the backlog where the identity is known to be out of reach. */
  readonly lane: Lane;
  readonly stampedBy: StampedBy;
  readonly series: readonly Series[];
}

export interface QueueIntake {
  /**
   * Resolves once it is safe: all of the request, or none of it.
   * @throws QueueFullError when limits refuse it
   * @throws QueueUnavailableError when the disk did not take it: it may be repeated, and may then be there twice
   */
  append(request: AppendRequest): Promise<void>;
}

/** One entry as it is to be uploaded. */
export interface WireEntry {
  /** Never reused; ascending in the order of acceptance. */
  readonly seq: number;
  readonly alias: string;
  readonly value: string;
  /** The second on the wire: durable before the batch is handed out, and the same however often it is repeated. */
  readonly second: number;
  /** The time as it was accepted, unix milliseconds. */
  readonly timeMs: number;
}

/** Entries of one identity that are being uploaded. They stay in the store, and out of the limits' reach, until settled. */
export interface Batch {
  readonly id: number;
  readonly identityId: number;
  readonly lane: Lane;
  /** Oldest first. Of one alias no two have the same second. */
  readonly entries: readonly WireEntry[];
}

export interface BatchLimits {
  readonly maxEntries: number;
  /** Of aliases and values, decoded, plus 32 an entry; at least one entry is taken whatever its size. */
  readonly maxBytes: number;
  /** Nothing of a lower priority. A batch that was handed out before is given whole where any of it fits. */
  readonly minPriority?: number | undefined;
}

export type DeadReason =
  /** Murano refused it: 400, 413 and the like. */
  | "rejected"
  /** No free second within 60 s. */
  | "too-dense"
  /** Its CIK stayed unauthorized for a day. */
  | "unauthorized";

/** Why one entry of a batch is given up. */
export interface DeadVerdict {
  readonly seq: number;
  readonly reason: DeadReason;
  /** HTTP status and body of the server's answer, where there was one (the body is cut to 4 KiB). */
  readonly status?: number;
  readonly answer?: string;
}

/** What waits for one identity in one lane. */
export interface Waiting {
  readonly identityId: number;
  readonly lane: Lane;
  /** Including those of batches that are being uploaded. */
  readonly entries: number;
  readonly bytes: number;
  /** Of these entries those of the highest priority, 9. */
  readonly urgentEntries: number;
  /** How long the oldest has waited for sure, milliseconds (monotonic; a lower bound across reboots). */
  readonly oldestWaitedMs: number;
  /** Not to be had yet: nobody knows when the oldest was accepted. `onAppended` tells when that has changed. */
  readonly isHeld: boolean;
}

/** The forwarder's side of the store. Every promise resolves after the commit, and joins the commit of that moment. */
export interface QueueOutlet {
  /** Only lanes that hold something, of one identity where it is named. Cheap. */
  waiting(identityId?: number): readonly Waiting[];
  /** Called after the commit that added entries. @returns what ends it */
  onAppended(listener: (identityId: number, lane: Lane) => void): () => void;
  /**
   * The next batch of a lane: first those that were handed out and neither settled nor held (after a restart, or
   * released), as they were; else a new one of the oldest entries, whose seconds are allotted durably. Entries without
   * a free second become dead letters. Undefined when there is nothing but what is held, by others or by the clock.
   */
  take(identityId: number, lane: Lane, limits: BatchLimits): Promise<Batch | undefined>;
  /** Given back after a failure: the next `take` of its lane returns the same entries with the same seconds. */
  release(batch: Batch): void;
  /**
   * For entries whose second the server refused (409): each gets the next free one within 60 s of its own time.
   * @returns the batch with new seconds; entries without a free second are dead letters and no longer in it
   */
  moveOn(batch: Batch, refused: readonly number[]): Promise<Batch>;
  /** The batch is done with: entries named in `dead` become dead letters, all others were delivered. */
  settle(batch: Batch, dead: readonly DeadVerdict[]): Promise<void>;
  /**
   * Out of reach: what is in the live lane, batches included, joins the backlog in its order, and so do live writes
   * to come, until `reachable`.
   */
  unreachable(identityId: number): Promise<void>;
  reachable(identityId: number): void;
}

export interface DeadLetter {
  readonly seq: number;
  readonly identityId: number;
  readonly alias: string;
  readonly value: string;
  /** The time as accepted, unix milliseconds. */
  readonly timeMs: number;
  readonly reason: DeadReason;
  readonly status: number | undefined;
  readonly answer: string | undefined;
  /** When it was given up, unix milliseconds. */
  readonly diedAtMs: number;
}

export interface DeadLetterQuery {
  readonly identityId?: number;
  /** Those with a smaller seq: the listing is newest first. */
  readonly before?: number;
  readonly limit: number;
}

/** For `gmq dead`. `seqs` undefined means all. */
export interface DeadLetterStore {
  list(query: DeadLetterQuery): readonly DeadLetter[];
  get(seq: number): DeadLetter | undefined;
  /** Puts them at the end of the backlog, with their own times. @returns how many */
  retry(seqs: readonly number[] | undefined): Promise<number>;
  /** @returns how many */
  purge(seqs: readonly number[] | undefined): Promise<number>;
}

export type DropCause = "bytes" | "entries" | "age";

/** Durable counts of entries, since the database began. */
export interface QueueCounts {
  readonly accepted: number;
  readonly delivered: number;
  readonly dropped: Readonly<Record<DropCause, number>>;
  /** Delivered or to be delivered at another second than their own. */
  readonly moved: number;
  /** Likewise at a time that is an estimate: accepted in a boot that never learned the true one. */
  readonly estimated: number;
  readonly dead: Readonly<Record<DeadReason, number>>;
  /** Dead letters that gave way to newer ones. */
  readonly deadDropped: number;
}

export interface QueueStatus {
  readonly entries: number;
  readonly bytes: number;
  /** As `Waiting.oldestWaitedMs`, over all; undefined when empty. */
  readonly oldestWaitedMs: number | undefined;
  readonly fileBytes: number;
  readonly deadLetters: number;
  readonly counts: QueueCounts;
  /** False while the disk takes nothing: requests are answered 503. */
  readonly isWritable: boolean;
  readonly waiting: readonly Waiting[];
}

/** What to do when a limit of bytes or entries is reached. What is too old is always dropped. */
export type WhenFull = "drop-oldest" | "reject" | "drop-lowest-priority";

export interface LimitSet {
  /** Of aliases and values plus 32 per entry. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Undefined: for ever. */
  readonly maxAgeMs: number | undefined;
}

export interface QueueLimits extends LimitSet {
  readonly perIdentity: LimitSet;
  readonly whenFull: WhenFull;
  /** By alias, 0 (is dropped first) to 9 (urgent); 5 where not named. A name may end in `*`. */
  readonly priorities: ReadonlyMap<string, number>;
  readonly maxIdentities: number;
  readonly maxDeadLetters: number;
  readonly maxDeadBytes: number;
}

export interface HttpSettings {
  /** 0: the kernel's choice. Published in `run/gmq.port` in any case. */
  readonly port: number;
  readonly maxConnections: number;
  readonly maxBodyBytes: number;
  /** For a whole request to arrive. */
  readonly requestTimeoutMs: number;
}

/** How the HTTP API has an identity activated. */
export interface Activator {
  /**
   * @returns the CIK, known or newly obtained; undefined when none could be had (offline, refused)
   * Resolves within `timeoutMs`, though the activation may go on.
   */
  activate(identity: Vms, timeoutMs: number): Promise<string | undefined>;
}

/** How the HTTP API passes a read through to Murano. */
export interface ReadThrough {
  /** @returns undefined when Murano cannot be reached */
  read(caller: Caller, aliases: readonly string[]): Promise<ReadThroughAnswer | undefined>;
}

export interface ReadThroughAnswer {
  /** Murano's: 200, 204, 401 … */
  readonly status: number;
  readonly values: ReadonlyMap<string, string>;
}

/** How the HTTP API has the configuration read again. @throws ConfigError when it is not valid: the old one holds */
export type Reread = () => Promise<void>;

/** For `/metrics` and `gmq status`; counted since the start of the daemon. */
export interface UploadStats {
  /** Requests to Murano by result: `204`, `400`, `409`, `429`, `network`, `timeout` … */
  readonly requests: ReadonlyMap<string, number>;
  readonly entries: number;
  readonly bytes: number;
  readonly isOnline: boolean;
}

/** One moment by all clocks, in whole milliseconds. None of them steps with the wall clock. */
export interface Moment {
  /** Since the machine booted, suspend included: the same for every process of this boot. */
  readonly sinceBootMs: number;
  /** Unix time by the wall clock as it was when this process began: what entries are stamped with. */
  readonly stampMs: number;
  /** Unix time; undefined while nobody knows the true one. */
  readonly trueMs: number | undefined;
}

/** What is known of the time (docs/clock.md). */
export interface TrueTime {
  readonly bootId: string;
  now(): Moment;
  /** Whether the kernel took the time from a hardware clock at boot. */
  readonly hasHardwareClock: boolean;
  /** A wall clock before it, unix milliseconds, is plainly wrong. */
  readonly plausibleSinceMs: number;
}
