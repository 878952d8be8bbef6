import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { IdentityStore, Lane, QueueOutlet } from "../types.ts";
import type { IdentityLinks } from "./links.ts";
import { isGivenUp, type RefusedMoment, refusedSince } from "./unauthorized.ts";

export interface RefusalWatchDependencies {
  readonly outlet: QueueOutlet;
  readonly identities: IdentityStore;
  readonly links: IdentityLinks;
  readonly clock: Clock;
  readonly logger: Logger;
}

const lanes: readonly Lane[] = ["live", "backlog"];
const allAtOnce = { maxEntries: 5_000, maxBytes: 8 * 1024 * 1024 };

/** Keeps with each identity whether Murano takes it, and gives up on one that cannot be activated again. */
export class RefusalWatch {
  private readonly dependencies: RefusalWatchDependencies;
  private readonly previous = new Map<number, RefusedMoment>();

  constructor(dependencies: RefusalWatchDependencies) {
    this.dependencies = dependencies;
  }

  /** Murano answered 401, and there was no way to a new CIK. Durable when it resolves. */
  async refused(id: number, reason: string): Promise<void> {
    const { identities, links, clock } = this.dependencies;
    const identity = identities.get(id);
    if (identity === undefined) return;
    const now = { nowMs: clock.now(), monotonicMs: clock.monotonic() };
    const sinceMs = refusedSince(identity.unauthorizedSinceMs, this.previous.get(id), now);
    this.previous.set(id, now);
    if (identity.state !== "unauthorized" || identity.unauthorizedSinceMs !== sinceMs) {
      await identities.change(id, {
        state: "unauthorized",
        unauthorizedSinceMs: sinceMs,
        lastError: reason,
      });
    }
    const canBeActivated = links.of(id).activation !== undefined;
    if (!canBeActivated && isGivenUp(sinceMs, now.nowMs)) await this.giveUp(id);
  }

  /** Murano has taken something of it. */
  async accepted(id: number): Promise<void> {
    const { identities } = this.dependencies;
    this.previous.delete(id);
    const identity = identities.get(id);
    if (identity === undefined || (identity.state === "active" && identity.lastError === undefined)) return;
    await identities.change(id, { state: "active", unauthorizedSinceMs: undefined, lastError: undefined });
  }

  private async giveUp(id: number): Promise<void> {
    const { outlet, logger } = this.dependencies;
    let count = 0;
    for (const lane of lanes) {
      for (;;) {
        const batch = await outlet.take(id, lane, allAtOnce);
        if (batch === undefined) break;
        const dead = batch.entries.map(({ seq }) => ({ seq, reason: "unauthorized", status: 401 }) as const);
        await outlet.settle(batch, dead);
        count += dead.length;
      }
    }
    if (count > 0) {
      logger.error("a device's CIK has been refused for a day: what it wrote is set aside as dead letters", {
        identity: id,
        entries: count,
      });
    }
  }
}
