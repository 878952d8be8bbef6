import type { CommandDesk } from "../commands/command-desk.ts";
import type { FaultBox } from "../faults/fault-box.ts";
import type { ChangeFeed } from "../fleet/change-feed.ts";
import type { FleetIndex } from "../fleet/fleet-index.ts";
import type { Presence } from "../fleet/presence.ts";
import type { LongPollHub } from "../long-poll/hub.ts";
import type { RequestLog } from "../request-log/request-log.ts";
import type { RolloutRunner } from "../rollouts/runner.ts";
import type { ServerClock } from "../server-clock.ts";
import type { Blobs } from "../store/blobs.ts";
import type { Store } from "../store/store.ts";

/** What the routes work with. */
export interface RouteParts {
  readonly store: Store;
  readonly blobs: Blobs;
  readonly hub: LongPollHub;
  readonly clock: ServerClock;
  readonly presence: Presence;
  readonly changes: ChangeFeed;
  readonly fleet: FleetIndex;
  readonly commands: CommandDesk;
  readonly rollouts: RolloutRunner;
  readonly faults: FaultBox;
  readonly requestLog: RequestLog;
  /** Serials (and products) that were never added activate on first try. */
  readonly openActivation: boolean;
  /** Refuses all connections for a while, once the answer that announces it is out. */
  readonly goOffline: (forMs: number) => void;
}
