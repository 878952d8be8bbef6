import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { Histogram } from "../../core/prometheus.ts";
import { Sleeper } from "../../core/sleeper.ts";
import type { Replacement } from "../../platform/sqlite.ts";
import { QueueUnavailableError } from "../errors.ts";
import type {
  AppendRequest,
  Batch,
  BatchLimits,
  Caller,
  DeadLetter,
  DeadLetterQuery,
  DeadLetterStore,
  DeadVerdict,
  IdentityChange,
  IdentityStore,
  Lane,
  QueueIdentity,
  QueueIntake,
  QueueLimits,
  QueueOutlet,
  QueueStatus,
  TrueTime,
  Waiting,
} from "../types.ts";
import { laneNumber } from "./chunk.ts";
import { CommitTimes } from "./commit-times.ts";
import { GroupCommit } from "./group-commit.ts";
import { shortestAgeMs } from "./limits.ts";
import { Session } from "./session.ts";
import { giveBackSpace } from "./space.ts";
import { type QueueFile, StoreFile } from "./store-file.ts";
import { waitingIn } from "./waiting.ts";

export interface QueueStoreOptions {
  readonly file: QueueFile;
  readonly limits: QueueLimits;
  /** See docs/queue.md, "Seconds on the wire". */
  readonly rememberedBlocks: number;
  readonly clock: Clock;
  readonly time: TrueTime;
  readonly logger: Logger;
  /** A damaged database was replaced: for the operator to know. */
  readonly onReplaced: (replaced: Replacement) => void;
}

const maintenanceMs = 30_000;
/** While there is much space to give back: a little at a time. */
const busyMaintenanceMs = 1_000;

/** The durable queue (docs/queue.md). One at a time per file. */
export class QueueStore implements QueueIntake, QueueOutlet {
  readonly identities: IdentityStore;
  readonly dead: DeadLetterStore;
  private readonly options: QueueStoreOptions;
  private readonly file: StoreFile;
  private readonly commits: GroupCommit;
  private readonly times = new CommitTimes();
  private readonly listeners = new Set<(identityId: number, lane: Lane) => void>();
  /** Batches that are with the forwarder. */
  private readonly held = new Set<number>();
  private readonly outOfReach = new Set<number>();
  private readonly stopping = new AbortController();
  private readonly tidying: Sleeper;
  private hasChanged = true;
  private lastStatus: QueueStatus = neverOpened;
  private limits: QueueLimits;
  private maintenance: Promise<void> = Promise.resolve();

  constructor(options: QueueStoreOptions) {
    const { file, clock, time, logger, onReplaced, rememberedBlocks } = options;
    this.options = options;
    this.limits = options.limits;
    this.tidying = new Sleeper(clock);
    this.file = new StoreFile({
      file,
      clock,
      logger,
      onReplaced,
      onRecovered: () => {
        for (const { identityId, lane } of this.waiting()) this.tell(identityId, lane);
      },
      createSession: (db) =>
        new Session({
          db,
          limits: this.limits,
          rememberedBlocks,
          clock,
          time,
          isUnreachable: (identity) => this.outOfReach.has(identity),
        }),
    });
    this.commits = new GroupCommit({
      session: () => this.file.current(),
      failed: (error) => this.file.failed(error),
      refusal: () =>
        options.file.reserve.isEnough() ? undefined : new QueueUnavailableError("reserve", true),
      appended: (identityId, lane) => this.tell(identityId, lane),
      committed: (durationMs) => {
        this.times.add(durationMs);
        this.noteChange();
      },
      clock,
    });
    this.identities = this.createIdentities();
    this.dead = this.createDeadLetters();
  }

  /**
   * Opens the database. A disk that takes nothing is no reason to fail: requests are refused until it does.
   * @throws whatever else keeps it from being opened
   */
  start(): void {
    try {
      this.file.current();
    } catch (error) {
      this.options.logger.error("the queue's database cannot be written", { error: describeError(error) });
    }
    void this.options.file.reserve.restore();
    this.maintenance = this.maintain(this.stopping.signal);
  }

  /** Commits what has been handed in, and closes the database. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.tidying.wake();
    await this.maintenance;
    this.commits.flush();
    this.file.close();
  }

  get isWritable(): boolean {
    return this.file.isWritable && this.options.file.reserve.isEnough();
  }

  append(request: AppendRequest): Promise<void> {
    return this.commits.append(request);
  }

  waiting(identityId?: number): readonly Waiting[] {
    const session = this.file.peek();
    return session === undefined ? [] : waitingIn(session, identityId);
  }

  /** What an earlier run learned: the true wall clock less the boot clock. Undefined where nothing is known. */
  bootOffsetMs(): number | undefined {
    return this.file.peek()?.boots.offsetMs;
  }

  /** The true time has become known: it is kept, and what waited for it can be uploaded. */
  async timeIsKnown(): Promise<void> {
    // An empty queue learns it with its next entry.
    if (this.waiting().length === 0) return;
    await this.commits.run(() => undefined);
    for (const { identityId, lane } of this.waiting()) this.tell(identityId, lane);
  }

  onAppended(listener: (identityId: number, lane: Lane) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async take(identityId: number, lane: Lane, limits: BatchLimits): Promise<Batch | undefined> {
    for (;;) {
      const batch = await this.takeNext(identityId, lane, limits);
      if (batch?.entries.length !== 0) return batch;
      this.held.delete(batch.id);
    }
  }

  private async takeNext(identityId: number, lane: Lane, limits: BatchLimits): Promise<Batch | undefined> {
    let taken: number | undefined;
    try {
      return await this.commits.run(({ outlet, room }) => {
        room.expire();
        const batch = outlet.take(identityId, laneNumber(lane), limits, (id) => this.held.has(id));
        taken = batch?.id;
        // At once, so that two who ask within one commit don't get the same.
        if (taken !== undefined) this.held.add(taken);
        return batch;
      });
    } catch (error) {
      if (taken !== undefined) this.held.delete(taken);
      throw error;
    }
  }

  release(batch: Batch): void {
    this.held.delete(batch.id);
  }

  moveOn(batch: Batch, refused: readonly number[]): Promise<Batch> {
    return this.commits.run(({ outlet }) => outlet.moveOn(batch, refused));
  }

  async settle(batch: Batch, dead: readonly DeadVerdict[]): Promise<void> {
    await this.commits.run(({ outlet }) => outlet.settle(batch, dead));
    this.held.delete(batch.id);
  }

  async unreachable(identityId: number): Promise<void> {
    if (this.outOfReach.has(identityId)) return;
    this.outOfReach.add(identityId);
    await this.commits.run(({ outlet }) => outlet.demote(identityId));
  }

  reachable(identityId: number): void {
    this.outOfReach.delete(identityId);
  }

  /** From the next commit on. */
  async changeLimits(limits: QueueLimits): Promise<void> {
    this.limits = limits;
    await this.commits.run((session) => session.changeLimits(limits));
  }

  /** While the file cannot be opened, as it was when it was last asked for. */
  status(): QueueStatus {
    const session = this.file.peek();
    this.lastStatus = session === undefined ? { ...this.lastStatus, isWritable: false } : this.look(session);
    return this.lastStatus;
  }

  private look(session: Session): QueueStatus {
    const waiting = waitingIn(session, undefined);
    return {
      ...session.ledger.total(),
      oldestWaitedMs:
        waiting.length === 0 ? undefined : Math.max(...waiting.map(({ oldestWaitedMs }) => oldestWaitedMs)),
      fileBytes: session.fileBytes(),
      deadLetters: session.dead.count,
      counts: session.ledger.counts(),
      isWritable: this.isWritable,
      waiting,
    };
  }

  commitTimes(): Histogram {
    return this.times.histogram();
  }

  private createIdentities(): IdentityStore {
    const identities = () => this.file.peek()?.identities;
    return {
      list: () => identities()?.list() ?? [],
      get: (id: number) => identities()?.get(id),
      find: (caller: Caller) => identities()?.find(caller),
      register: async (caller: Caller): Promise<QueueIdentity> =>
        identities()?.find(caller) ?? this.commits.run((session) => session.identities.register(caller)),
      change: (id: number, change: IdentityChange) =>
        this.commits.run((session) => session.identities.change(id, change)),
    };
  }

  private createDeadLetters(): DeadLetterStore {
    const dead = () => this.file.peek()?.dead;
    return {
      list: (query: DeadLetterQuery): readonly DeadLetter[] => dead()?.list(query) ?? [],
      get: (seq: number) => dead()?.get(seq),
      retry: async (seqs) => {
        const retried = await this.commits.run((session) => session.retryDead(seqs));
        for (const identityId of new Set(retried)) this.tell(identityId, "backlog");
        return retried.length;
      },
      purge: (seqs) => this.commits.run((session) => [...session.dead.takeOut(seqs)].length),
    };
  }

  private tell(identityId: number, lane: Lane): void {
    for (const listener of this.listeners) listener(identityId, lane);
  }

  private noteChange(): void {
    if (this.hasChanged) return;
    this.hasChanged = true;
    this.tidying.wake();
  }

  /** Tidies up now and then for as long as there is anything in it; an empty queue that nobody writes to rests. */
  private async maintain(stop: AbortSignal): Promise<void> {
    const { logger } = this.options;
    for (let pauseMs = maintenanceMs; !stop.aborted; ) {
      await this.tidying.sleep(pauseMs);
      if (stop.aborted) return;
      try {
        if (shortestAgeMs(this.limits) !== undefined) await this.commits.run(({ room }) => room.expire());
        const { reserve } = this.options.file;
        const isShort = !reserve.isEnough();
        const isMore = giveBackSpace(this.file.current().db, isShort);
        await reserve.restore();
        pauseMs = isMore ? busyMaintenanceMs : maintenanceMs;
        const { entries, deadLetters } = this.status();
        if (isMore || entries > 0 || deadLetters > 0) continue;
        this.hasChanged = false;
        await this.tidying.sleep(Number.POSITIVE_INFINITY);
      } catch (error) {
        pauseMs = maintenanceMs;
        logger.warn("the queue could not tidy up", { error: describeError(error) });
      }
    }
  }
}

const neverOpened: QueueStatus = {
  entries: 0,
  bytes: 0,
  oldestWaitedMs: undefined,
  fileBytes: 0,
  deadLetters: 0,
  counts: {
    accepted: 0,
    delivered: 0,
    dropped: { bytes: 0, entries: 0, age: 0 },
    moved: 0,
    estimated: 0,
    dead: { rejected: 0, "too-dense": 0, unauthorized: 0 },
    deadDropped: 0,
  },
  isWritable: false,
  waiting: [],
};
