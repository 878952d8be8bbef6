import type { Gateway } from "../../fleet/gateway.ts";
import type { Command, Rollout } from "./types.ts";

export type Connection = "connecting" | "live" | "lost";

interface FleetEvent {
  readonly now: number;
  readonly isFirst: boolean;
  readonly gateways: readonly Gateway[];
}

interface ChangedEvent {
  readonly now: number;
  readonly gateways: readonly Gateway[];
  readonly seen: readonly (readonly [rid: string, seen: number, onlineUntil: number])[];
  readonly removed: readonly string[];
}

/** What happened beside the fleet itself. */
export type News =
  | { readonly kind: "command"; readonly command: Command }
  | { readonly kind: "content"; readonly product: string }
  | { readonly kind: "rollout"; readonly rollout: Rollout };

/** The fleet as the server tells it, kept up to date by its events. */
export class Live {
  connection: Connection = "connecting";
  /** Whether the fleet is complete. */
  isReady = false;
  #byRid = new Map<string, Gateway>();
  #all: readonly Gateway[] | undefined;
  #isTelling = false;
  /** What is told anew after the connection broke, until it is complete. */
  #arriving: Map<string, Gateway> | undefined;
  #clockAheadS = 0;
  #source: EventSource | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #newsListeners = new Set<(news: News) => void>();
  /** Called when the server no longer lets us in. */
  onRefused: () => void = () => undefined;

  /** Unix seconds by the server's clock. */
  now(): number {
    return Math.floor(Date.now() / 1000 + this.#clockAheadS);
  }

  /** The same in steps of five seconds: soon enough for ages and for who is there, and reason to draw anew less often. */
  moment(): number {
    return Math.floor(this.now() / 5) * 5;
  }

  /** Another array only when something changed. */
  get gateways(): readonly Gateway[] {
    this.#all ??= [...this.#byRid.values()];
    return this.#all;
  }

  find(rid: string): Gateway | undefined {
    return this.#byRid.get(rid);
  }

  start(): void {
    const source = new EventSource("api/events");
    this.#source = source;
    const on = <T>(name: string, take: (data: T) => void) =>
      source.addEventListener(name, ({ data }) => take(JSON.parse(data as string) as T));
    on<FleetEvent>("fleet", (event) => this.#takeFleet(event));
    on<{ now: number }>("ready", () => this.#complete());
    on<ChangedEvent>("changed", (event) => this.#takeChanges(event));
    on<Command>("command", (command) => this.#tell({ kind: "command", command }));
    on<{ product: string }>("content", ({ product }) => this.#tell({ kind: "content", product }));
    on<Rollout>("rollout", (rollout) => this.#tell({ kind: "rollout", rollout }));
    source.onerror = () => {
      this.connection = "lost";
      this.#changed();
      // The browser tries again by itself, but not after a refusal.
      if (source.readyState === EventSource.CLOSED) this.onRefused();
    };
  }

  stop(): void {
    this.#source?.close();
  }

  /** Calls back when the fleet or the connection changed; returns what ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  listenToNews(listener: (news: News) => void): () => void {
    this.#newsListeners.add(listener);
    return () => this.#newsListeners.delete(listener);
  }

  #takeFleet({ now, isFirst, gateways }: FleetEvent): void {
    this.#setClock(now);
    if (isFirst) this.#arriving = new Map();
    for (const gateway of gateways) this.#arriving?.set(gateway.rid, gateway);
    // The first time rows show up as they come; later the old ones stay until the new ones are complete.
    if (!this.isReady && this.#arriving) this.#adopt(this.#arriving);
  }

  #complete(): void {
    if (this.#arriving) this.#adopt(this.#arriving);
    this.#arriving = undefined;
    this.connection = "live";
    this.isReady = true;
    this.#changed();
  }

  #takeChanges({ now, gateways, seen, removed }: ChangedEvent): void {
    this.#setClock(now);
    for (const rid of removed) this.#byRid.delete(rid);
    for (const gateway of gateways) this.#byRid.set(gateway.rid, gateway);
    for (const [rid, seenAt, onlineUntil] of seen) {
      const gateway = this.#byRid.get(rid);
      if (gateway) this.#byRid.set(rid, { ...gateway, seen: seenAt, onlineUntil });
    }
    this.#adopt(this.#byRid);
  }

  #adopt(gateways: Map<string, Gateway>): void {
    this.#byRid = gateways;
    this.#all = undefined;
    this.#changed();
  }

  #setClock(now: number): void {
    this.#clockAheadS = now - Date.now() / 1000;
  }

  /** At most once a frame: a fleet that is just coming in, or checks in all at once, is drawn once. */
  #changed(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    requestAnimationFrame(() => {
      this.#isTelling = false;
      for (const listener of [...this.#listeners]) listener();
    });
  }

  #tell(news: News): void {
    for (const listener of [...this.#newsListeners]) listener(news);
  }
}
