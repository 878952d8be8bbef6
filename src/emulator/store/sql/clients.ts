import { InvariantError } from "../../../core/errors.ts";
import { gatewayAliases } from "../../gateway-dataports.ts";
import type { RosterEntry } from "../operators.ts";
import type { ClientStore } from "../store.ts";
import type { Client, Model } from "../types.ts";
import { newRid } from "./secrets.ts";
import { statusOf } from "./serial-rows.ts";
import { Statement, type Work } from "./statement.ts";
import type { SqlParts } from "./stores.ts";

interface RosterRow extends Omit<RosterEntry, "status" | "groups"> {
  readonly cik: string | null;
  readonly windowEnds: number | null;
  /** JSON. */
  readonly groups: string;
}

export function sqlClients({ engine, cache }: Pick<SqlParts, "engine" | "cache">): ClientStore {
  const select = `SELECT client.id, client.rid, model.owner_id AS "ownerId", model.name AS model,
      model.id AS "modelId", coalesce(serial.sn, '') AS sn
    FROM client JOIN model ON model.id = client.model_id LEFT JOIN serial ON serial.client_id = client.id`;
  const byCik = new Statement<Client>(`${select} WHERE client.cik = $1`);
  const byRid = new Statement<Client>(`${select} WHERE client.rid = $1`);
  const ofOwner = new Statement<Client>(`${select} WHERE model.owner_id = $1 ORDER BY client.id`);
  const roster = new Statement<RosterRow>(
    `SELECT client.id AS "clientId", model.owner_id AS "ownerId", client.rid, model.name AS product, serial.sn,
       serial.extra, client.cik, client.window_ends AS "windowEnds",
       (SELECT ${engine.dialect.jsonList("group_id")} FROM group_member
        WHERE model_id = model.id AND type = 'sn' AND id = serial.sn) AS groups
     FROM serial JOIN client ON client.id = serial.client_id JOIN model ON model.id = serial.model_id
     ORDER BY serial.id`,
  );
  function* find(cik: string): Work<Client | undefined> {
    const client = yield* byCik.first(cik);
    if (client) cache.add(cik, client);
    return client;
  }
  return {
    byCik: async (cik) => cache.get(cik) ?? engine.read(() => find(cik)),
    byRid: (rid) => engine.read(() => byRid.first(rid)),
    ofOwner: (ownerId) => engine.read(() => ofOwner.all(ownerId)),
    roster: async (now) =>
      (await engine.read(() => roster.all())).map(
        ({ clientId, ownerId, rid, product, sn, extra, groups, ...row }) => ({
          clientId,
          ownerId,
          rid,
          product,
          sn,
          extra,
          status: statusOf({ clientId, ...row }, now),
          groups: JSON.parse(groups) as string[],
        }),
      ),
  };
}

/** Makes a client with its dataports: the gateway's six and those of the model's template. In a transaction. */
export class ClientMaker {
  readonly #insert = new Statement<{ id: number }>(
    "INSERT INTO client (model_id, rid) VALUES ($1, $2) RETURNING id",
  );
  readonly #template = new Statement<{ alias: string; name: string; format: string }>(
    `SELECT alias, name, format FROM dataport
     WHERE alias IS NOT NULL AND client_id = (SELECT id FROM client WHERE rid = $1)`,
  );
  readonly #dataport = new Statement(
    `INSERT INTO dataport (client_id, rid, alias, name, format, created_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (client_id, alias) DO NOTHING`,
  );

  *make(model: Model, now: number): Work<{ readonly id: number; readonly rid: string }> {
    const rid = newRid();
    const made = yield* this.#insert.first(model.id, rid);
    if (!made) throw new InvariantError("a client has no id");
    const { id } = made;
    for (const alias of gatewayAliases) yield* this.#dataport.run(id, newRid(), alias, alias, "string", now);
    for (const { alias, name, format } of model.rid === "" ? [] : yield* this.#template.all(model.rid)) {
      yield* this.#dataport.run(id, newRid(), alias, name, format, now);
    }
    return { id, rid };
  }
}
