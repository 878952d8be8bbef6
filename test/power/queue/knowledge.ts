import { promised } from "../errors.ts";
import type { QueueEvent, TakenEntry } from "./events.ts";

/** Where an entry is to be, or may be. */
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
          const before = this.taken.get(entry.id);
          promised(
            before === undefined || (before.second === entry.second && before.seq === entry.seq),
            `${entry.id} was handed out with another second or seq than before`,
          );
          this.taken.set(entry.id, entry);
          // Even before its app has got the answer it is durable. Where a cut left open whether it was settled, it was not.
          this.fates.set(entry.id, ["waiting"]);
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
