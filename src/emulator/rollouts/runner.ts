import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { InvariantError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { CommandFollower, type Heard } from "../commands/follower.ts";
import type { LongPollHub } from "../long-poll/hub.ts";
import type { ServerClock } from "../server-clock.ts";
import { decide } from "./planner.ts";
import type { Rollout, RolloutPlan } from "./rollout.ts";
import type { NewTarget, RolloutStore, Times } from "./rollout-store.ts";
import type { RolloutAction } from "./states.ts";
import { inRolloutOrder, type WaveSize, waveSizes } from "./waves.ts";

export interface RolloutRunnerParts {
  readonly store: RolloutStore;
  readonly hub: LongPollHub;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly logger: Logger;
  /** Whether other processes may share the database: then the one that leads carries roll-outs on. */
  readonly isShared?: boolean;
  /** How often soak times and silent gateways are looked at, milliseconds. */
  readonly everyMs: number;
}

/** What gateways do within this share of that time is taken in at once. */
const gatherShare = 0.1;
/** Commands a transaction: requests of gateways must not wait long for it. */
const sendBatch = 100;

/** `isHeard`: another process told of the change. */
export type RolloutListener = (rollout: Rollout, isHeard: boolean) => void;

/** Carries roll-outs on, from what the store knows: it keeps nothing of its own that a restart could lose. */
export class RolloutRunner {
  readonly #parts: RolloutRunnerParts;
  readonly #follower: CommandFollower;
  readonly #listeners = new Set<RolloutListener>();
  #watched = new Set<number>();
  #changed = new Set<string>();
  /** Those that other processes told of: nobody else is to be told. */
  #heardOf = new Set<string>();
  #toldMs = Number.NEGATIVE_INFINITY;
  #upSince = 0;
  #isStopped = false;

  constructor(parts: RolloutRunnerParts) {
    this.#parts = parts;
    const { everyMs } = parts;
    this.#follower = new CommandFollower({
      ...parts,
      subject: "roll-outs",
      isFollowed: (clientId) => this.#follower.leads && this.#watched.has(clientId),
      look: (heard) => this.#observe(heard),
      catchUp: () => this.#catchUp(),
      afterwards: () => this.#step(),
      gatherMs: everyMs * gatherShare,
    });
  }

  async start(): Promise<void> {
    this.#upSince = this.#parts.serverClock.nowS();
    if (this.#follower.leads) this.#watched = new Set(await this.#parts.store.watched());
    this.#follower.start(this.#watched);
  }

  /** Resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#follower.stop();
  }

  /** Of the processes that share a database this one carries roll-outs on from now on, or no longer. */
  lead(isLeader: boolean): void {
    this.#follower.lead(isLeader);
  }

  /** Another process changed this roll-out. */
  heardOf(id: string): void {
    this.#heardOf.add(id);
    this.#follower.wake();
  }

  /** Something may have happened unheard. */
  lookAgain(): void {
    this.#follower.lookAgain();
  }

  /** Calls back with each roll-out that changed; returns what ends it. */
  onChange(listener: RolloutListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  times(): Times {
    return { now: this.#parts.serverClock.nowS(), upSince: this.#upSince };
  }

  /** Begins a roll-out to these gateways; durable when it resolves. */
  async create(
    plan: RolloutPlan,
    waves: readonly WaveSize[],
    ownerId: number,
    gateways: readonly Omit<NewTarget, "wave">[],
  ): Promise<Rollout> {
    const { store } = this.#parts;
    const id = `rollout-${randomBytes(6).toString("hex")}`;
    const sizes = waveSizes(waves, gateways.length);
    const waveOf = sizes.flatMap((size, wave) => new Array<number>(size).fill(wave));
    const targets = inRolloutOrder(id, gateways)
      .slice(0, waveOf.length)
      .map((gateway, place): NewTarget => ({ ...gateway, wave: waveOf[place] ?? 0 }));
    const { now } = this.times();
    await store.add({ ...plan, id, ownerId, createdAt: now, targets });
    this.#touch(id);
    const made = await store.find(id, this.times());
    if (!made) throw new InvariantError("a roll-out is gone that was just written");
    return made;
  }

  /** Does what an operator asks for; false where the roll-out's state does not allow it. */
  async act(id: string, action: RolloutAction): Promise<boolean> {
    const { store, hub } = this.#parts;
    const { done, withdrawn } = await store.act(id, action, this.times().now);
    for (const clientId of withdrawn) hub.changed(clientId, ["engine_fetch"], "server");
    if (done) this.#touch(id);
    return done;
  }

  #touch(id: string): void {
    this.#changed.add(id);
    this.#follower.wake();
  }

  /** What gateways did since they were last looked at. */
  async #observe(heard: readonly Heard[]): Promise<void> {
    if (!this.#follower.leads) return;
    const clientIds = heard.map(({ clientId }) => clientId);
    const byOwner = new Set(
      heard.filter(({ fetchBy }) => fetchBy === "owner").map(({ clientId }) => clientId),
    );
    for (const id of await this.#parts.store.observe(clientIds, byOwner, this.times().now))
      this.#changed.add(id);
  }

  async #step(): Promise<void> {
    const { store } = this.#parts;
    if (!this.#follower.leads) return this.#tell();
    for (const id of await store.expire(this.times())) this.#changed.add(id);
    for (const rollout of await store.active(this.times())) {
      if (this.#isStopped) return;
      await this.#carryOn(rollout);
    }
    await this.#tell();
  }

  /** Takes over from a process that may have died between what it wrote and its telling of it. */
  async #catchUp(): Promise<void> {
    const { store, hub } = this.#parts;
    this.#watched = new Set(await store.watched());
    for (const clientId of this.#watched) {
      this.#follower.lookAt(clientId);
      hub.changed(clientId, ["engine_fetch"], "server");
    }
  }

  async #carryOn(rollout: Rollout): Promise<void> {
    const { store, logger } = this.#parts;
    let current: Rollout | undefined = rollout;
    // A tally costs milliseconds in a large fleet: only what changed it asks for another.
    if (await this.#send(rollout.id)) current = await store.find(rollout.id, this.times());
    for (; current; current = await store.find(rollout.id, this.times())) {
      const decision = decide(current, this.times().now);
      if (decision.kind === "none") return;
      const { id } = current;
      this.#changed.add(id);
      switch (decision.kind) {
        case "stop":
          logger.warn("roll-out stopped", { rollout: id, reason: decision.reason });
          await store.change(id, current, { state: "stopped", reason: decision.reason });
          return;
        case "soak":
          await store.change(id, current, { soakUntil: decision.until });
          break;
        case "begin-wave":
          await store.change(id, current, { wave: decision.wave, soakUntil: null });
          await this.#send(id);
          break;
        case "complete":
          await store.change(id, current, { state: "completed" });
          return;
        case "rolled-back":
          await store.change(id, current, { state: "rolled-back" });
          return;
      }
    }
  }

  /** Resolves to whether there was anything to send. */
  async #send(id: string): Promise<boolean> {
    const { store, hub } = this.#parts;
    for (let isFirst = true; ; isFirst = false) {
      const { written, isMore, touched } = await store.send(id, sendBatch, this.times().now);
      const isWritten = new Set(written);
      for (const clientId of touched) {
        this.#watched.add(clientId);
        // The command that blocks may have been taken before anybody listened.
        if (!isWritten.has(clientId)) this.#follower.lookAt(clientId);
      }
      for (const clientId of written) hub.changed(clientId, ["engine_fetch"], "server");
      if (touched.length > 0) this.#changed.add(id);
      if (!isMore || this.#isStopped) return !isFirst || touched.length > 0;
    }
  }

  async #tell(): Promise<void> {
    const { clock, everyMs } = this.#parts;
    const nowMs = clock.monotonic();
    // Not more often: consoles ask again for all gateways of a roll-out that changed.
    if (this.#changed.size + this.#heardOf.size === 0 || nowMs - this.#toldMs < everyMs) return;
    this.#toldMs = nowMs;
    const own = this.#changed;
    const ids = new Set([...own, ...this.#heardOf]);
    this.#changed = new Set();
    this.#heardOf = new Set();
    if (this.#listeners.size === 0) return;
    for (const id of ids) {
      const rollout = await this.#parts.store.find(id, this.times());
      if (rollout) for (const listener of this.#listeners) listener(rollout, !own.has(id));
    }
  }
}
