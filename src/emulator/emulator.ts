import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import { silentLogger } from "../core/logger.ts";
import { EmulatorStartError } from "./errors.ts";
import type { Fault } from "./faults/fault.ts";
import { FaultBox } from "./faults/fault-box.ts";
import { seededRandom } from "./faults/seeded-random.ts";
import { Listener } from "./http/listener.ts";
import { Router } from "./http/router.ts";
import { requestHandler } from "./http/server.ts";
import { LongPollHub } from "./long-poll/hub.ts";
import { RequestLog } from "./request-log/request-log.ts";
import { findDevice } from "./routes/access.ts";
import { allRoutes } from "./routes/all-routes.ts";
import type { RouteParts } from "./routes/parts.ts";
import { ServerClock } from "./server-clock.ts";
import { Blobs } from "./store/blobs.ts";
import { makeDirectory, syncDirectory } from "./store/directories.ts";
import { openSqliteStore } from "./store/sqlite/sqlite-store.ts";
import { systemClock } from "./system-clock.ts";

export interface EmulatorOptions {
  /** Where everything is kept; made when it isn't there. */
  readonly dataDirectory: string;
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
  /** Ends all connections, long polls included, and lets go of the data directory. */
  close(): Promise<void>;
}

/**
 * Starts a local Murano (spec: device-api.md, provision-management.md). Every answer that promises a change is given
 * after the change is durable.
 *
 * @throws EmulatorStartError when the port or the data directory cannot be had
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const { dataDirectory, clock = systemClock, logger = silentLogger } = options;
  await makeDirectory(dataDirectory).catch((cause: unknown) => {
    throw new EmulatorStartError(`the data directory ${dataDirectory} cannot be made`, { cause });
  });
  const store = openSqliteStore({
    directory: dataDirectory,
    createMissing: !options.strictAliases,
    historyLimit: options.historyLimit ?? 1000,
  });
  try {
    const { owner, token } = await store.owners.first(options.token);
    for (const name of options.products ?? []) {
      await store.models.add({ ownerId: owner.id, name, rid: "", options: "" });
    }
    // The database's name too must survive a power cut.
    await syncDirectory(dataDirectory);
    const blobs = new Blobs(join(dataDirectory, "content"));
    await blobs.start(await store.content.blobs());
    const serverClock = new ServerClock(clock, options.timeOffsetS ?? 0);
    const faults = new FaultBox(seededRandom(options.faultSeed ?? 1));
    for (const fault of options.faults ?? []) faults.add(fault);
    const parts: RouteParts = {
      store,
      blobs,
      hub: new LongPollHub(),
      clock: serverClock,
      faults,
      requestLog: new RequestLog(options.requestLogLimit ?? 10_000),
      openActivation: options.openActivation ?? false,
      // Not before the answer that announces it is out.
      goOffline: (forMs) => setTimeout(() => void listener.shutFor(forMs), 20),
    };
    const listener = listen(parts, options, clock, logger);
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
        await listener.end();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function listen(parts: RouteParts, options: EmulatorOptions, clock: Clock, logger: Logger): Listener {
  const handler = requestHandler({
    router: new Router(allRoutes(parts)),
    faults: parts.faults,
    requestLog: parts.requestLog,
    serverClock: parts.clock,
    clock,
    logger,
    identify: (call) => findDevice(parts, call),
  });
  return new Listener(handler, { host: options.host ?? "127.0.0.1", port: options.port ?? 0 });
}
