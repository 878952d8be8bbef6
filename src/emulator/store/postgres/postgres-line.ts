import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import pg, { type ClientConfig } from "pg";
import { describeError } from "../../../core/errors.ts";
import type { Logger } from "../../../core/logger.ts";
import type { Line, LineListener } from "../../cluster/line.ts";
import type { Message } from "../../cluster/message.ts";
import { leaderLock, lockClass } from "./locks.ts";
import { parsePayload, toPayloads } from "./payloads.ts";

const channel = "murano_emulator";
/** How often a process tries to become the leader, and makes sure that the database still hears it. */
const lookEveryMs = 1_000;
const reconnectAfterMs = 500;
/** An answer that takes longer will not come: the way to the database is cut. */
const queryTimeoutMs = 10_000;

export interface PostgresLineParts {
  readonly connection: ClientConfig;
  readonly logger: Logger;
}

/**
 * LISTEN, NOTIFY and the leader's advisory lock, all on one connection: when it breaks, the lock is gone too, and whatever
 * is missed meanwhile is treated as if all had changed.
 */
export class PostgresLine implements Line {
  readonly #connection: ClientConfig;
  readonly #logger: Logger;
  readonly #id = randomUUID();
  readonly #stop = new AbortController();
  #listener: LineListener | undefined;
  #queue: Message[] = [];
  #waiters: (() => void)[] = [];
  #leads = false;
  #wake: () => void = () => undefined;
  #running: Promise<void> | undefined;

  constructor({ connection, logger }: PostgresLineParts) {
    this.#connection = { ...connection, query_timeout: queryTimeoutMs };
    this.#logger = logger;
  }

  async start(listener: LineListener): Promise<void> {
    this.#listener = listener;
    this.#running = this.#run(await this.#connect());
  }

  send(message: Message): void {
    this.#queue.push(message);
    this.#wake();
  }

  sent(): Promise<void> {
    if (this.#queue.length === 0 && this.#waiters.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#connection);
    client.on("error", () => this.#wake());
    client.on("end", () => this.#wake());
    client.on("notification", ({ payload = "" }) => this.#hear(payload));
    try {
      await client.connect();
      await client.query(`LISTEN ${channel}`);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  #hear(text: string): void {
    const payload = parsePayload(text);
    if (!payload || payload.from === this.#id) return;
    for (const message of payload.messages) this.#listener?.heard(message);
  }

  async #run(first: pg.Client): Promise<void> {
    let client: pg.Client | undefined = first;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        client ??= await this.#again();
        await this.#serve(client);
      } catch (error) {
        this.#logger.warn("the line to the other servers broke", { error: describeError(error) });
        await client?.end().catch(() => undefined);
        client = undefined;
        this.#cut();
        await delay(reconnectAfterMs, undefined, { signal }).catch(() => undefined);
      }
    }
    this.#cut();
    await client?.end().catch(() => undefined);
  }

  async #again(): Promise<pg.Client> {
    const client = await this.#connect();
    this.#queue = [{ kind: "everything" }];
    this.#listener?.missed();
    return client;
  }

  /** The lock is gone with the connection, and nobody is to wait for it. */
  #cut(): void {
    this.#lead(false);
    this.#queue = [];
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  async #serve(client: pg.Client): Promise<void> {
    let lookedMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      await this.#flush(client);
      if (this.#stop.signal.aborted) return;
      const waitMs = lookedMs + lookEveryMs - performance.now();
      if (waitMs <= 0) {
        await this.#look(client);
        lookedMs = performance.now();
      } else if (this.#queue.length === 0) await this.#pause(waitMs);
    }
  }

  async #flush(client: pg.Client): Promise<void> {
    while (this.#queue.length > 0 || this.#waiters.length > 0) {
      const messages = this.#queue.splice(0);
      const waiters = this.#waiters.splice(0);
      try {
        const payloads = toPayloads(this.#id, messages);
        if (payloads.length > 0) {
          await client.query("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload", [
            channel,
            payloads,
          ]);
        }
      } finally {
        for (const resolve of waiters) resolve();
      }
    }
  }

  async #look(client: pg.Client): Promise<void> {
    if (this.#leads) {
      await client.query("SELECT 1");
      return;
    }
    const { rows } = await client.query<{ held: boolean }>("SELECT pg_try_advisory_lock($1, $2) AS held", [
      lockClass,
      leaderLock,
    ]);
    if (rows[0]?.held) this.#lead(true);
  }

  #lead(isLeader: boolean): void {
    if (this.#leads === isLeader) return;
    this.#leads = isLeader;
    this.#listener?.leads(isLeader);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
