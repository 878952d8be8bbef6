import { setImmediate as nextTurn } from "node:timers/promises";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { FleetChanges, FleetEntry } from "../fleet/fleet-index.ts";
import type { RouteParts } from "../routes/parts.ts";
import { shownCommand } from "./command-routes.ts";
import { EventStream, eventText, keepAlive, reconnectAfter } from "./event-stream.ts";

/** Proxies take a connection for dead that says nothing for half a minute or more. */
const keepAliveMs = 20_000;
const gatewaysPerEvent = 500;

export interface LiveEventsParts {
  readonly parts: RouteParts;
  readonly logger: Logger;
  /** Milliseconds between two looks at what changed. */
  readonly everyMs: number;
}

/** What one owner's consoles have not been told yet; newer facts of a gateway replace older ones. */
interface News {
  readonly changed: Map<string, FleetEntry>;
  readonly seen: Map<string, FleetEntry>;
  readonly removed: Set<string>;
  readonly commands: Set<string>;
  readonly products: Set<string>;
}

/** Tells open consoles what changes, once in a while for all of it; costs nothing while none is open. */
export class LiveEvents {
  readonly #parts: RouteParts;
  readonly #logger: Logger;
  readonly #everyMs: number;
  readonly #streams = new Map<number, Set<EventStream>>();
  readonly #news = new Map<number, News>();
  #timer: NodeJS.Timeout | undefined;
  #quietMs = 0;
  #isTicking = false;
  #stop: readonly (() => void)[] = [];

  constructor({ parts, logger, everyMs }: LiveEventsParts) {
    this.#parts = parts;
    this.#logger = logger;
    this.#everyMs = everyMs;
  }

  start(): void {
    const { fleet, commands, changes, store } = this.#parts;
    this.#stop = [
      fleet.listen((found) => this.#takeFleet(found)),
      commands.listen((id) => {
        if (this.#streams.size === 0) return;
        void store.commands.find(id).then((command) => {
          if (command) this.#newsFor(command.ownerId)?.commands.add(id);
        });
      }),
      changes.listen((change) => {
        if (change.kind !== "content" || this.#streams.size === 0) return;
        void store.models.find(change.product).then((model) => {
          if (model) this.#newsFor(model.ownerId)?.products.add(change.product);
        });
      }),
    ];
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const end of this.#stop) end();
    this.restart();
    this.#streams.clear();
  }

  /** A new console: the whole fleet, then whatever changes. */
  async open(ownerId: number, isCompressed: boolean): Promise<EventStream> {
    const { fleet, clock } = this.#parts;
    const entries = await fleet.list(ownerId);
    const stream = new EventStream(isCompressed);
    const streams = this.#streams.get(ownerId) ?? new Set();
    this.#streams.set(ownerId, streams.add(stream));
    stream.onClose(() => this.#close(ownerId, stream));
    this.#timer ??= setInterval(() => void this.#tick(), this.#everyMs);
    void this.#begin(stream, entries, clock.nowS());
    return stream;
  }

  /** Ends all streams: their consoles come again, and are told everything anew. */
  restart(): void {
    for (const streams of this.#streams.values()) for (const stream of streams) stream.end();
  }

  /** An event of another part of the server, to all consoles of an owner. */
  publish(ownerId: number, name: string, data: unknown): void {
    this.#send(ownerId, eventText(name, data));
  }

  async #begin(stream: EventStream, entries: readonly FleetEntry[], now: number): Promise<void> {
    stream.begin(reconnectAfter);
    // One at least: it tells a console that there is nothing, too.
    for (let at = 0; at === 0 || at < entries.length; at += gatewaysPerEvent) {
      const gateways = entries.slice(at, at + gatewaysPerEvent).map(({ gateway }) => gateway);
      stream.begin(eventText("fleet", { now, isFirst: at === 0, gateways }));
      await nextTurn();
    }
    stream.begin(eventText("ready", { now }));
    stream.begun();
  }

  #close(ownerId: number, stream: EventStream): void {
    const streams = this.#streams.get(ownerId);
    streams?.delete(stream);
    if (streams?.size === 0) {
      this.#streams.delete(ownerId);
      this.#news.delete(ownerId);
    }
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    if (this.#isTicking) return;
    this.#isTicking = true;
    try {
      await this.#parts.fleet.refresh();
      for (const [ownerId, news] of [...this.#news]) {
        this.#news.delete(ownerId);
        await this.#report(ownerId, news);
      }
      this.#quietMs += this.#everyMs;
      if (this.#quietMs >= keepAliveMs) {
        this.#quietMs = 0;
        for (const ownerId of this.#streams.keys()) this.#send(ownerId, keepAlive);
      }
    } catch (error) {
      this.#logger.error("consoles could not be told what changed", { error: describeError(error) });
    } finally {
      this.#isTicking = false;
    }
  }

  async #report(ownerId: number, news: News): Promise<void> {
    const { store, clock } = this.#parts;
    const { changed, seen, removed } = news;
    if (changed.size + seen.size + removed.size > 0) {
      this.publish(ownerId, "changed", {
        now: clock.nowS(),
        gateways: Array.from(changed.values(), ({ gateway }) => gateway),
        seen: Array.from(seen.values(), ({ gateway }) => [gateway.rid, gateway.seen, gateway.onlineUntil]),
        removed: [...removed],
      });
    }
    for (const id of news.commands) {
      const command = await store.commands.find(id);
      if (command) this.publish(ownerId, "command", shownCommand(command));
    }
    for (const product of news.products) this.publish(ownerId, "content", { product });
  }

  #takeFleet({ changed, seen, removed }: FleetChanges): void {
    for (const entry of removed) this.#newsFor(entry.ownerId)?.removed.add(entry.gateway.rid);
    for (const entry of seen) this.#newsFor(entry.ownerId)?.seen.set(entry.gateway.rid, entry);
    for (const entry of changed) {
      const news = this.#newsFor(entry.ownerId);
      news?.changed.set(entry.gateway.rid, entry);
      news?.removed.delete(entry.gateway.rid);
      news?.seen.delete(entry.gateway.rid);
    }
  }

  /** Undefined where nobody looks. */
  #newsFor(ownerId: number): News | undefined {
    if (!this.#streams.has(ownerId)) return undefined;
    let news = this.#news.get(ownerId);
    if (!news) {
      news = {
        changed: new Map(),
        seen: new Map(),
        removed: new Set(),
        commands: new Set(),
        products: new Set(),
      };
      this.#news.set(ownerId, news);
    }
    return news;
  }

  #send(ownerId: number, event: string): void {
    for (const stream of this.#streams.get(ownerId) ?? []) stream.send(event);
  }
}
