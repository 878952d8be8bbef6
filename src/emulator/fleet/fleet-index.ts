import { setImmediate as nextTurn } from "node:timers/promises";
import { tagsOf } from "../../core/tags.ts";
import type { LongPollHub } from "../long-poll/hub.ts";
import type { ServerClock } from "../server-clock.ts";
import type { RosterEntry } from "../store/operators.ts";
import type { Store } from "../store/store.ts";
import type { ChangeFeed } from "./change-feed.ts";
import { gatewayFacts } from "./facts.ts";
import type { Gateway, GatewayFacts } from "./gateway.ts";
import { onlineUntil, type Presence } from "./presence.ts";

/** A gateway with what the server knows it by. */
export interface FleetEntry {
  readonly clientId: number;
  readonly ownerId: number;
  readonly gateway: Gateway;
}

export interface FleetChanges {
  /** With new facts. */
  readonly changed: readonly FleetEntry[];
  /** That only spoke again. */
  readonly seen: readonly FleetEntry[];
  readonly removed: readonly FleetEntry[];
}

export interface FleetIndexParts {
  readonly store: Store;
  readonly hub: LongPollHub;
  readonly presence: Presence;
  readonly changes: ChangeFeed;
  readonly clock: ServerClock;
}

interface Known {
  roster: RosterEntry;
  facts: GatewayFacts;
  /** Of the newest report: stands in for presence, which is forgotten at a restart. */
  reportedAt: number;
  entry: FleetEntry;
}

const aliases = ["engine_report", "device_info", "usage_report", "engine_fetch", "fetch_status"];

/** Read and parsed in one turn of the event loop: check-ins must not wait for somebody who opens the console. */
const perTurn = 50;

/**
 * The fleet as rows. Nothing is read before somebody asks; from then on only what changed is read again, when
 * somebody asks again.
 */
export class FleetIndex {
  readonly #parts: FleetIndexParts;
  readonly #known = new Map<number, Known>();
  readonly #byRid = new Map<string, number>();
  readonly #listeners = new Set<(changes: FleetChanges) => void>();
  #stale = new Set<number>();
  #isRosterStale = true;
  #refreshing: Promise<void> = Promise.resolve();
  #stop: readonly (() => void)[] = [];

  constructor(parts: FleetIndexParts) {
    this.#parts = parts;
  }

  start(): void {
    const { hub, changes, presence, clock } = this.#parts;
    this.#stop = [
      hub.observe((clientId, written) => {
        if (written.includes("engine_report")) presence.checkedIn(clientId, clock.nowS());
        if (this.#known.has(clientId) && written.some((alias) => aliases.includes(alias))) {
          this.#stale.add(clientId);
        }
      }),
      changes.listen(({ kind }) => {
        if (kind === "roster") this.#isRosterStale = true;
      }),
    ];
  }

  stop(): void {
    for (const end of this.#stop) end();
    this.#listeners.clear();
  }

  /** All may have changed: everything is read again when somebody asks. */
  forget(): void {
    this.#isRosterStale = true;
    for (const clientId of this.#known.keys()) this.#stale.add(clientId);
  }

  /** Calls back after a refresh that found something new; returns what ends it. */
  listen(listener: (changes: FleetChanges) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The owner's gateways as of now, in the order in which they were added. */
  async list(ownerId: number): Promise<readonly FleetEntry[]> {
    await this.refresh();
    return Array.from(this.#known.values(), ({ entry }) => entry).filter(
      (entry) => entry.ownerId === ownerId,
    );
  }

  /** One of the owner's gateways as of now. */
  async find(ownerId: number, rid: string): Promise<FleetEntry | undefined> {
    await this.refresh();
    const entry = this.#known.get(this.#byRid.get(rid) ?? -1)?.entry;
    return entry?.ownerId === ownerId ? entry : undefined;
  }

  /** Takes in what changed since the last time. */
  refresh(): Promise<void> {
    const next = this.#refreshing.then(() => this.#refresh());
    // One that failed must not fail those after it; its own caller is told.
    this.#refreshing = next.catch(() => undefined);
    return next;
  }

  async #refresh(): Promise<void> {
    const { presence } = this.#parts;
    const removed = this.#isRosterStale ? await this.#readRoster() : [];
    const stale = [...this.#stale];
    this.#stale = new Set();
    const changed: FleetEntry[] = [];
    for (let at = 0; at < stale.length; at += perTurn) {
      if (at > 0) await nextTurn();
      for (const clientId of stale.slice(at, at + perTurn)) {
        const entry = await this.#readGateway(clientId);
        if (entry) changed.push(entry);
      }
    }
    const unseen = new Set(stale);
    const seen: FleetEntry[] = [];
    for (const clientId of presence.takeChanged()) {
      const known = this.#known.get(clientId);
      if (!known || unseen.has(clientId)) continue;
      seen.push(this.#rebuild(known));
    }
    if (changed.length + seen.length + removed.length === 0) return;
    for (const listener of [...this.#listeners]) listener({ changed, seen, removed });
  }

  /** Resolves to those that are no longer there. */
  async #readRoster(): Promise<FleetEntry[]> {
    const { store, clock } = this.#parts;
    this.#isRosterStale = false;
    const roster = await store.clients.roster(clock.nowS());
    const left = new Map(this.#known);
    for (const row of roster) {
      const known = left.get(row.clientId);
      left.delete(row.clientId);
      if (known && isSameRow(known.roster, row)) continue;
      this.#stale.add(row.clientId);
      if (known) known.roster = row;
      else this.#meet(row);
    }
    for (const [clientId, { roster: row }] of left) {
      this.#known.delete(clientId);
      this.#byRid.delete(row.rid);
    }
    return Array.from(left.values(), ({ entry }) => entry);
  }

  #meet(roster: RosterEntry): void {
    const { clientId, ownerId, rid } = roster;
    const facts: GatewayFacts = { apps: [] };
    const gateway = toGateway(roster, facts, { seen: 0, interval: undefined, isPolling: false });
    this.#known.set(clientId, { roster, facts, reportedAt: 0, entry: { clientId, ownerId, gateway } });
    this.#byRid.set(rid, clientId);
  }

  async #readGateway(clientId: number): Promise<FleetEntry | undefined> {
    const readings = await this.#parts.store.dataports.read(clientId, aliases);
    const known = this.#known.get(clientId);
    if (!known) return undefined;
    const values = new Map(readings.map(({ alias, ts, value }) => [alias, { ts, text: value.toString() }]));
    known.facts = gatewayFacts(values);
    known.reportedAt = Math.max(
      0,
      ...readings.filter(({ alias }) => alias !== "engine_fetch").map(({ ts }) => ts),
    );
    return this.#rebuild(known);
  }

  #rebuild(known: Known): FleetEntry {
    const { roster, facts, reportedAt } = known;
    const { seen, interval, isPolling } = this.#parts.presence.of(roster.clientId);
    known.entry = {
      clientId: roster.clientId,
      ownerId: roster.ownerId,
      gateway: toGateway(roster, facts, { seen: Math.max(seen, reportedAt), interval, isPolling }),
    };
    return known.entry;
  }
}

function isSameRow(a: RosterEntry, b: RosterEntry): boolean {
  return (
    a.sn === b.sn &&
    a.status === b.status &&
    a.extra === b.extra &&
    a.groups.join("\n") === b.groups.join("\n")
  );
}

function toGateway(
  { rid, product, sn, extra, status, groups }: RosterEntry,
  facts: GatewayFacts,
  { seen, interval, isPolling }: ReturnType<Presence["of"]>,
): Gateway {
  return {
    rid,
    product,
    sn,
    status,
    tags: tagsOf(extra),
    groups,
    ...facts,
    seen: seen === 0 ? null : seen,
    onlineUntil: onlineUntil(seen, interval, isPolling),
    ...(interval !== undefined && { interval }),
  };
}
