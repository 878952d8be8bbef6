import { randomBytes } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import { type FetchStatus, parseFetchStatus } from "../fleet/fetch-status.ts";
import type { LongPollHub } from "../long-poll/hub.ts";
import type { ServerClock } from "../server-clock.ts";
import type { CommandRecord, OpenTarget } from "../store/operators.ts";
import type { Store } from "../store/store.ts";
import { CommandFollower } from "./follower.ts";
import { nextTargetState } from "./target-state.ts";

export interface CommandDeskParts {
  readonly store: Store;
  readonly hub: LongPollHub;
  readonly clock: Clock;
  readonly serverClock: ServerClock;
  readonly logger: Logger;
  /** Whether other processes may share the database: then the one that leads follows commands. */
  readonly isShared?: boolean;
}

/** Written in one transaction: check-ins must not wait for a command to ten thousand gateways. */
const perTransaction = 100;

/** Values of `fetch_status` looked through for the answer to a command. */
const maxAnswers = 50;

/** Gives commands to gateways and follows what becomes of them. */
export class CommandDesk {
  readonly #parts: CommandDeskParts;
  /** What has not ended, by client. */
  readonly #open = new Map<number, Map<string, OpenTarget>>();
  readonly #listeners = new Set<(commandId: string) => void>();
  readonly #follower: CommandFollower;

  constructor(parts: CommandDeskParts) {
    this.#parts = parts;
    this.#follower = new CommandFollower({
      ...parts,
      subject: "commands",
      isFollowed: (clientId) => this.#open.has(clientId),
      look: async (heard) => {
        for (const { clientId } of heard) await this.#lookAt(clientId);
      },
      catchUp: () => this.#catchUp(),
      // Several of a gateway's values come together, and operators watch.
      gatherMs: 0,
    });
  }

  async start(): Promise<void> {
    if (this.#follower.leads)
      for (const target of await this.#parts.store.commands.open()) this.#remember(target);
    this.#follower.start(this.#open.keys());
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
  }

  /** Of the processes that share a database this one follows commands from now on, or no longer. */
  lead(isLeader: boolean): void {
    if (!isLeader) this.#open.clear();
    this.#follower.lead(isLeader);
  }

  /** Another process gave this command, or found that it stands differently. */
  heardOf(commandId: string): void {
    this.lookAgain();
    this.#tell(commandId);
  }

  /** Something may have happened unheard. */
  lookAgain(): void {
    this.#follower.lookAgain();
  }

  /** Calls back when a command stands differently at some gateway; returns what ends it. */
  listen(listener: (commandId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Writes a command to all of these clients, except those where another waits. Resolves to its id once every one of
   * them is durable. An id of the command's own is replaced.
   */
  async give(
    ownerId: number,
    clientIds: readonly number[],
    command: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const { store, serverClock, hub } = this.#parts;
    const id = `console-${randomBytes(6).toString("hex")}`;
    const text = JSON.stringify({ ...command, id });
    const value = Buffer.from(text);
    const givenAt = serverClock.nowS();
    await store.commands.add({ id, ownerId, at: givenAt, text });
    for (let at = 0; at < clientIds.length; at += perTransaction) {
      const slice = clientIds.slice(at, at + perTransaction);
      const written = await store.commands.deliver(id, slice, value, serverClock.nowS());
      for (const clientId of written) {
        if (this.#follower.leads)
          this.#remember({ commandId: id, clientId, state: "waiting", givenAt, text });
        hub.changed(clientId, ["engine_fetch"], "owner");
      }
    }
    this.#tell(id);
    return id;
  }

  /** Takes back what a gateway has not taken; false when nothing waits there. */
  async withdraw(clientId: number): Promise<boolean> {
    const { store, serverClock, hub } = this.#parts;
    const [reading] = await store.dataports.read(clientId, ["engine_fetch"]);
    if (!reading || reading.value.length === 0) return false;
    for (const target of await store.commands.openAt(clientId)) {
      if (target.state === "waiting") await this.#change(target, { state: "replaced", detail: "withdrawn" });
    }
    await store.dataports.writeRead(
      clientId,
      [{ alias: "engine_fetch", value: Buffer.alloc(0) }],
      [],
      serverClock.nowS(),
    );
    hub.changed(clientId, ["engine_fetch"], "owner");
    return true;
  }

  async list(ownerId: number, limit: number): Promise<readonly CommandRecord[]> {
    return this.#parts.store.commands.list(ownerId, limit);
  }

  /** Takes up what other processes gave, and what one that died may have told nobody of. */
  async #catchUp(): Promise<void> {
    const { store, hub } = this.#parts;
    for (const target of await store.commands.open()) {
      const { clientId, commandId, state } = target;
      if (this.#open.get(clientId)?.has(commandId)) continue;
      this.#remember(target);
      this.#follower.lookAt(clientId);
      if (state === "waiting") hub.changed(clientId, ["engine_fetch"], "server");
    }
  }

  #remember(target: OpenTarget): void {
    const targets = this.#open.get(target.clientId) ?? new Map<string, OpenTarget>();
    this.#open.set(target.clientId, targets);
    targets.set(target.commandId, target);
  }

  #forget(clientId: number, commandId: string): void {
    const targets = this.#open.get(clientId);
    targets?.delete(commandId);
    if (targets?.size === 0) this.#open.delete(clientId);
  }

  async #lookAt(clientId: number): Promise<void> {
    const { dataports } = this.#parts.store;
    const targets = [...(this.#open.get(clientId)?.values() ?? [])];
    if (targets.length === 0) return;
    const [reading] = await dataports.read(clientId, ["engine_fetch"]);
    const answers = await this.#answers(clientId, Math.min(...targets.map(({ givenAt }) => givenAt)));
    for (const target of targets) {
      const change = nextTargetState({
        state: target.state,
        text: target.text,
        fetch: reading?.value.toString() ?? "",
        status: answers.get(target.commandId),
      });
      if (change) await this.#change(target, change);
    }
  }

  async #answers(clientId: number, since: number): Promise<ReadonlyMap<string, FetchStatus>> {
    const { dataports } = this.#parts.store;
    const dataport = await dataports.find(clientId, { alias: "fetch_status" });
    if (!dataport) return new Map();
    const points = await dataports.history(dataport.id, {
      start: since,
      end: Number.MAX_SAFE_INTEGER,
      limit: maxAnswers,
      sort: "desc",
    });
    const statuses = points.map(({ value }) => parseFetchStatus(value.toString()));
    return new Map(statuses.map((status) => [status.id, status]));
  }

  async #change(target: OpenTarget, change: ReturnType<typeof nextTargetState> & object): Promise<void> {
    const { commandId, clientId } = target;
    const { store, serverClock } = this.#parts;
    if (change.state === "taken" && this.#follower.leads) this.#remember({ ...target, state: "taken" });
    else this.#forget(clientId, commandId);
    const at = serverClock.nowS();
    await store.commands.setState(commandId, clientId, { ...change, from: target.state, at });
    this.#tell(commandId);
  }

  #tell(commandId: string): void {
    for (const listener of [...this.#listeners]) listener(commandId);
  }
}
