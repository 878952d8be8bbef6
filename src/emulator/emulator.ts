import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import { silentLogger } from "../core/logger.ts";
import { Peers } from "./cluster/peers.ts";
import { CommandDesk } from "./commands/command-desk.ts";
import { consoleRoutes } from "./console/console-routes.ts";
import { LiveEvents } from "./console/live-events.ts";
import type { Fault } from "./faults/fault.ts";
import { FaultBox } from "./faults/fault-box.ts";
import { seededRandom } from "./faults/seeded-random.ts";
import { ChangeFeed } from "./fleet/change-feed.ts";
import { FleetIndex } from "./fleet/fleet-index.ts";
import { Presence } from "./fleet/presence.ts";
import { Listener } from "./http/listener.ts";
import { type Route, Router } from "./http/router.ts";
import { requestHandler } from "./http/server.ts";
import { LongPollHub } from "./long-poll/hub.ts";
import { RequestLog } from "./request-log/request-log.ts";
import { rolloutRoutes } from "./rollouts/routes.ts";
import { RolloutRunner } from "./rollouts/runner.ts";
import { shownRollout } from "./rollouts/shown-rollout.ts";
import { findDevice } from "./routes/access.ts";
import { allRoutes } from "./routes/all-routes.ts";
import type { RouteParts } from "./routes/parts.ts";
import { ServerClock } from "./server-clock.ts";
import { openStore } from "./store/open-store.ts";
import { systemClock } from "./system-clock.ts";

export interface EmulatorOptions {
  /** Where everything is kept: a directory of this process alone, made when it isn't there, … */
  readonly dataDirectory?: string;
  /** … or a PostgreSQL database, by its URL, that several processes may share. */
  readonly database?: string;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** 0, the default: the kernel chooses. */
  readonly port?: number;
  /** The owner's token; by default the one of the last start, or a new one. */
  readonly token?: string;
  /** Serials and products that were never added activate on first try. */
  readonly openActivation?: boolean;
  /** Writes to aliases that a device doesn't have are skipped; by default they make the alias. */
  readonly strictAliases?: boolean;
  /** Points kept per dataport; 1000 by default. */
  readonly historyLimit?: number;
  /** Products (models) to add when they aren't there. */
  readonly products?: readonly string[];
  readonly faults?: readonly Fault[];
  readonly faultSeed?: number;
  /** Seconds by which the server's clock is ahead of the machine's. */
  readonly timeOffsetS?: number;
  /** Requests kept in the request log; 10 000 by default. */
  readonly requestLogLimit?: number;
  /** Milliseconds between two looks for what open consoles are to be told; 500 by default. */
  readonly consoleEventsEveryMs?: number;
  /** Milliseconds between two looks at roll-outs of which nothing is heard; 1,000 by default. */
  readonly rolloutsEveryMs?: number;
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** A running emulator. */
export interface Emulator {
  readonly url: string;
  /** The owner's token and CIK. */
  readonly token: string;
  readonly cik: string;
  readonly faults: FaultBox;
  readonly requestLog: RequestLog;
  readonly serverClock: ServerClock;
  /** Refuses connections and destroys the open ones, until `goOnline` or, when given, for `forMs`. */
  goOffline(forMs?: number): Promise<void>;
  goOnline(): Promise<void>;
  /** Ends all connections, long polls included, and lets go of what is stored. */
  close(): Promise<void>;
}

/**
 * Starts a local Murano (spec: device-api.md, provision-management.md). Every answer that promises a change is given
 * after the change is durable.
 *
 * @throws EmulatorStartError when the port, the data directory or the database cannot be had
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { clock = systemClock, logger = silentLogger } = options;
  const { store, blobs, line } = await openStore({
    dataDirectory: options.dataDirectory,
    database: options.database,
    createMissing: !options.strictAliases,
    historyLimit: options.historyLimit ?? 1000,
    logger,
  });
  try {
    const { owner, token } = await store.owners.first(options.token);
    for (const name of options.products ?? []) {
      await store.models.add({ ownerId: owner.id, name, rid: "", options: "" });
    }
    const serverClock = new ServerClock(clock, options.timeOffsetS ?? 0);
    const faults = new FaultBox(seededRandom(options.faultSeed ?? 1));
    for (const fault of options.faults ?? []) faults.add(fault);
    const isShared = line !== undefined;
    const shared = { store, hub: new LongPollHub(), clock: serverClock, logger, isShared };
    const presence = new Presence();
    const changes = new ChangeFeed();
    const parts: RouteParts = {
      ...shared,
      blobs,
      presence,
      changes,
      fleet: new FleetIndex({ ...shared, presence, changes }),
      commands: new CommandDesk({ ...shared, clock, serverClock }),
      rollouts: new RolloutRunner({
        ...shared,
        store: store.rollouts,
        clock,
        serverClock,
        everyMs: options.rolloutsEveryMs ?? 1_000,
      }),
      faults,
      requestLog: new RequestLog(options.requestLogLimit ?? 10_000),
      openActivation: options.openActivation ?? false,
      // Not before the answer that announces it is out.
      goOffline: (forMs) => setTimeout(() => void listener.shutFor(forMs), 20),
    };
    const events = new LiveEvents({ parts, logger, everyMs: options.consoleEventsEveryMs ?? 500 });
    const peers = line && new Peers({ ...parts, line, events });
    const routes = [...allRoutes(parts), ...consoleRoutes(parts, events), ...rolloutRoutes(parts)];
    const listener = listen(parts, {
      routes,
      options,
      clock,
      logger,
      announced: line && (() => line.sent()),
    });
    parts.fleet.start();
    await parts.commands.start();
    events.start();
    parts.rollouts.onChange((rollout) => events.publish(rollout.ownerId, "rollout", shownRollout(rollout)));
    await parts.rollouts.start();
    await peers?.start();
    await listener.open();
    return {
      url: listener.url,
      token,
      cik: owner.cik,
      faults,
      requestLog: parts.requestLog,
      serverClock,
      goOffline: (forMs) => (forMs === undefined ? listener.shut() : listener.shutFor(forMs)),
      goOnline: () => listener.open(),
      close: async () => {
        events.stop();
        await listener.end();
        parts.fleet.stop();
        await parts.commands.stop();
        await parts.rollouts.stop();
        await peers?.stop();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Listening {
  readonly routes: readonly Route[];
  readonly options: EmulatorOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly announced: (() => Promise<void>) | undefined;
}

function listen(parts: RouteParts, { routes, options, clock, logger, announced }: Listening): Listener {
  const handler = requestHandler({
    router: new Router(routes),
    faults: parts.faults,
    requestLog: parts.requestLog,
    serverClock: parts.clock,
    clock,
    logger,
    announced,
    identify: (call) => findDevice(parts, call),
  });
  return new Listener(handler, { host: options.host ?? "127.0.0.1", port: options.port ?? 0 });
}
