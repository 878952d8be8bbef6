import { gatewayAliases } from "../../gateway-dataports.ts";
import type { RosterEntry } from "../operators.ts";
import type { ClientStore } from "../store.ts";
import type { Client, Model } from "../types.ts";
import type { SqliteDatabase } from "./database.ts";
import { newRid } from "./secrets.ts";
import { statusOf } from "./serial-rows.ts";

/** Beyond it the cache starts over; a fleet of that size costs some megabytes. */
const maxCached = 50_000;

/**
 * Devices by CIK: every request asks. This process alone has the database, so the cache is right as long as whatever
 * gives or voids a CIK, or moves or removes a device, clears it.
 */
export class ClientCache {
  readonly #clients = new Map<string, Client>();

  get(cik: string, find: (cik: string) => Client | undefined): Client | undefined {
    const known = this.#clients.get(cik);
    if (known) return known;
    const found = find(cik);
    if (!found) return undefined;
    if (this.#clients.size >= maxCached) this.#clients.clear();
    this.#clients.set(cik, found);
    return found;
  }

  clear(): void {
    this.#clients.clear();
  }
}

interface RosterRow extends Omit<RosterEntry, "status" | "groups"> {
  readonly cik: string | null;
  readonly windowEnds: number | null;
  /** JSON. */
  readonly groups: string;
}

export function sqliteClients(db: SqliteDatabase, cache: ClientCache): ClientStore {
  const select = `SELECT client.id, client.rid, model.owner_id AS ownerId, model.name AS model,
      model.id AS modelId, coalesce(serial.sn, '') AS sn
    FROM client JOIN model ON model.id = client.model_id LEFT JOIN serial ON serial.client_id = client.id`;
  const byCik = db.prepare<[string], Client>(`${select} WHERE client.cik = ?`);
  const byRid = db.prepare<[string], Client>(`${select} WHERE client.rid = ?`);
  const ofOwner = db.prepare<[number], Client>(`${select} WHERE model.owner_id = ? ORDER BY client.id`);
  const roster = db.prepare<[], RosterRow>(
    `SELECT client.id AS clientId, model.owner_id AS ownerId, client.rid, model.name AS product, serial.sn,
       serial.extra, client.cik, client.window_ends AS windowEnds,
       (SELECT json_group_array(group_id) FROM group_member
        WHERE model_id = model.id AND type = 'sn' AND id = serial.sn) AS groups
     FROM serial JOIN client ON client.id = serial.client_id JOIN model ON model.id = serial.model_id
     ORDER BY serial.id`,
  );
  return {
    byCik: async (cik) => cache.get(cik, (wanted) => byCik.get(wanted)),
    byRid: async (rid) => byRid.get(rid),
    ofOwner: async (ownerId) => ofOwner.all(ownerId),
    roster: async (now) =>
      roster.all().map(({ clientId, ownerId, rid, product, sn, extra, groups, ...row }) => ({
        clientId,
        ownerId,
        rid,
        product,
        sn,
        extra,
        status: statusOf({ clientId, ...row }, now),
        groups: JSON.parse(groups) as string[],
      })),
  };
}

/** Makes a client with its dataports: the gateway's six and those of the model's template. In a transaction. */
export class ClientMaker {
  readonly #insert;
  readonly #template;
  readonly #dataport;

  constructor(db: SqliteDatabase) {
    this.#insert = db.prepare("INSERT INTO client (model_id, rid) VALUES (?, ?)");
    this.#template = db.prepare<[string], { alias: string; name: string; format: string }>(
      `SELECT alias, name, format FROM dataport
       WHERE alias IS NOT NULL AND client_id = (SELECT id FROM client WHERE rid = ?)`,
    );
    this.#dataport = db.prepare(
      `INSERT INTO dataport (client_id, rid, alias, name, format, created_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (client_id, alias) DO NOTHING`,
    );
  }

  make(model: Model, now: number): { readonly id: number; readonly rid: string } {
    const rid = newRid();
    const id = Number(this.#insert.run(model.id, rid).lastInsertRowid);
    for (const alias of gatewayAliases) this.#dataport.run(id, newRid(), alias, alias, "string", now);
    for (const { alias, name, format } of model.rid === "" ? [] : this.#template.all(model.rid)) {
      this.#dataport.run(id, newRid(), alias, name, format, now);
    }
    return { id, rid };
  }
}
