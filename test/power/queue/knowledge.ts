import type { QueueEvent, TakenEntry } from "./events.ts";

/** Where an entry must be, or may be. */
export type Fate = "delivered" | "dead" | "waiting";

/** What the notes of a load say of the entries that were acknowledged. */
export class Knowledge {
  /** In the order of their acceptance, by client. */
  readonly byClient = new Map<string, string[]>();
  /** As each was last handed out. */
  readonly taken = new Map<string, TakenEntry>();
  private readonly fates = new Map<string, readonly Fate[]>();

  constructor(events: readonly QueueEvent[]) {
    for (const event of events) this.learn(event);
  }

  acknowledged(): Iterable<readonly [string, readonly Fate[]]> {
    return this.fates;
  }

  fatesOf(id: string): readonly Fate[] {
    return this.fates.get(id) ?? [];
  }

  private learn(event: QueueEvent): void {
    switch (event.kind) {
      case "acknowledged": {
        const before = this.byClient.get(event.client) ?? [];
        before.push(...event.ids);
        this.byClient.set(event.client, before);
        for (const id of event.ids) if (!this.fates.has(id)) this.fates.set(id, ["waiting"]);
        return;
      }
      case "taken":
        for (const entry of event.entries) {
          this.taken.set(entry.id, entry);
          // Handed out before its app has got the answer: it is durable by then all the same.
          if (!this.fates.has(entry.id)) this.fates.set(entry.id, ["waiting"]);
        }
        return;
      case "settling":
        this.may(event, true);
        return;
      case "settled":
        this.may(event, false);
        return;
    }
  }

  private may({ ids, dead }: { ids: readonly string[]; dead: readonly string[] }, waiting: boolean): void {
    const also: readonly Fate[] = waiting ? ["waiting"] : [];
    for (const id of ids) this.fates.set(id, ["delivered", ...also]);
    for (const id of dead) this.fates.set(id, ["dead", ...also]);
  }
}
