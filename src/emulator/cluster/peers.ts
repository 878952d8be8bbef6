import type { CommandDesk } from "../commands/command-desk.ts";
import type { LiveEvents } from "../console/live-events.ts";
import type { ChangeFeed } from "../fleet/change-feed.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { Presence } from "../fleet/presence.ts";
import type { LongPollHub } from "../long-poll/hub.ts";
import type { RolloutRunner } from "../rollouts/runner.ts";
import type { ServerClock } from "../server-clock.ts";
import type { Line, LineListener } from "./line.ts";
import type { Message } from "./message.ts";

export interface PeersParts {
  readonly line: Line;
  readonly hub: LongPollHub;
  readonly changes: ChangeFeed;
  readonly presence: Presence;
  readonly fleet: FleetIndex;
  readonly commands: CommandDesk;
  readonly rollouts: RolloutRunner;
  readonly events: LiveEvents;
  readonly clock: ServerClock;
}

/** So often the others are told who spoke here: it only matters to those who look at the fleet. */
const seenEveryMs = 1_000;
/** A gateway that holds a long poll says nothing; for the others it has spoken again after so long. */
const pollersEveryMs = 30_000;
const perMessage = 500;

/** Takes what happens in this process to the others that share its database, and what happens there into this one. */
export class Peers implements LineListener {
  readonly #parts: PeersParts;
  readonly #seen = new Set<number>();
  #timers: readonly NodeJS.Timeout[] = [];
  #ends: readonly (() => void)[] = [];
  /** What is taken in must not go out again. */
  #isHearing = false;

  constructor(parts: PeersParts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { line, hub, changes, presence, commands, rollouts } = this.#parts;
    this.#ends = [
      hub.observe((clientId, aliases, by) =>
        this.#tell({ kind: "values", clientId, aliases: [...aliases], by }),
      ),
      hub.observeClients((clientId) => this.#tell({ kind: "client", clientId })),
      changes.listen((change) => this.#tell(change)),
      presence.listen((clientId) => {
        if (!this.#isHearing) this.#seen.add(clientId);
      }),
      commands.listen((id) => this.#tell({ kind: "command", id })),
      rollouts.onChange(({ id }, isHeard) => {
        if (!isHeard) this.#tell({ kind: "rollout", id });
      }),
    ];
    this.#timers = [
      setInterval(() => this.#tellSeen(), seenEveryMs),
      setInterval(() => {
        for (const clientId of presence.pollers()) this.#seen.add(clientId);
      }, pollersEveryMs),
    ];
    await line.start(this);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    for (const end of this.#ends) end();
    await this.#parts.line.stop();
  }

  heard(message: Message): void {
    this.#isHearing = true;
    try {
      this.#takeIn(message);
    } finally {
      this.#isHearing = false;
    }
  }

  missed(): void {
    this.heard({ kind: "everything" });
  }

  leads(isLeader: boolean): void {
    this.#parts.commands.lead(isLeader);
    this.#parts.rollouts.lead(isLeader);
  }

  #tell(message: Message): void {
    if (!this.#isHearing) this.#parts.line.send(message);
  }

  #tellSeen(): void {
    const clientIds = [...this.#seen];
    this.#seen.clear();
    for (let at = 0; at < clientIds.length; at += perMessage) {
      this.#tell({ kind: "seen", clientIds: clientIds.slice(at, at + perMessage) });
    }
  }

  #takeIn(message: Message): void {
    const { hub, changes, presence, fleet, commands, rollouts, events, clock } = this.#parts;
    switch (message.kind) {
      case "values":
        hub.changed(message.clientId, message.aliases, message.by);
        return;
      case "client":
        hub.clientChanged(message.clientId);
        return;
      case "seen":
        for (const clientId of message.clientIds) presence.note(clientId, clock.nowS());
        return;
      case "roster":
      case "content":
        changes.announce(message);
        return;
      case "command":
        commands.heardOf(message.id);
        return;
      case "rollout":
        rollouts.heardOf(message.id);
        return;
      case "everything":
        hub.wakeAll();
        fleet.forget();
        commands.lookAgain();
        rollouts.lookAgain();
        // Consoles come again and are given the whole state.
        events.restart();
    }
  }
}
