import type { Client } from "../types.ts";

/** Beyond it the cache starts over; a fleet of that size costs some megabytes. */
const maxCached = 50_000;

/** Devices by CIK. */
export interface ClientCache {
  get(cik: string): Client | undefined;
  add(cik: string, client: Client): void;
  clear(): void;
}

/**
 * For a database that this process alone has: the cache is right as long as whatever gives or voids a CIK, or moves or
 * removes a device, clears it.
 */
export class SoleClientCache implements ClientCache {
  readonly #clients = new Map<string, Client>();

  get(cik: string): Client | undefined {
    return this.#clients.get(cik);
  }

  add(cik: string, client: Client): void {
    if (this.#clients.size >= maxCached) this.#clients.clear();
    this.#clients.set(cik, client);
  }

  clear(): void {
    this.#clients.clear();
  }
}

/** Where other processes void CIKs too, the database is asked each time: a void CIK is void at once for all of them. */
export const noClientCache: ClientCache = {
  get: () => undefined,
  add: () => undefined,
  clear: () => undefined,
};
