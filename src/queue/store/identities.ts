import { InvariantError } from "../../core/errors.ts";
import type { SqliteDatabase } from "../../platform/sqlite.ts";
import { QueueFullError } from "../errors.ts";
import type { Caller, IdentityChange, IdentityState, QueueIdentity } from "../types.ts";

interface Row {
  readonly id: number;
  readonly vendor: string | null;
  readonly model: string | null;
  readonly sn: string | null;
  readonly cik: string | null;
  readonly state: IdentityState;
  readonly unauthorized_since_ms: number | null;
  readonly last_error: string | null;
}

/** The table `identities`, mirrored in memory. Changes are made within the transaction that is being prepared. */
export class Identities {
  private readonly byId = new Map<number, QueueIdentity>();
  private readonly byVms = new Map<string, number>();
  private readonly byCik = new Map<string, number>();
  private readonly maxIdentities: number;
  private readonly statements;

  constructor(db: SqliteDatabase, maxIdentities: number) {
    this.maxIdentities = maxIdentities;
    this.statements = {
      insert: db.prepare(`INSERT INTO identities (vendor, model, sn, cik, state) VALUES (?, ?, ?, ?, ?)`),
      update: db.prepare(
        "UPDATE identities SET cik = ?, state = ?, unauthorized_since_ms = ?, last_error = ? WHERE id = +?",
      ),
      // The newest owner of a CIK is the right one: Murano gives each out once.
      addCik: db.prepare("INSERT OR REPLACE INTO ciks (cik, identity) VALUES (?, ?)"),
    };
    for (const row of db.prepare<[], Row>("SELECT * FROM identities ORDER BY id").all()) {
      this.remember(fromRow(row));
    }
    for (const { cik, identity } of db
      .prepare<[], { cik: string; identity: number }>("SELECT cik, identity FROM ciks")
      .all()) {
      this.byCik.set(cik, identity);
    }
  }

  list(): readonly QueueIdentity[] {
    return [...this.byId.values()];
  }

  get(id: number): QueueIdentity | undefined {
    return this.byId.get(id);
  }

  find(caller: Caller): QueueIdentity | undefined {
    const id = caller.kind === "vms" ? this.byVms.get(vmsKey(caller)) : this.byCik.get(caller.cik);
    return id === undefined ? undefined : this.byId.get(id);
  }

  /** @throws QueueFullError */
  register(caller: Caller): QueueIdentity {
    const known = this.find(caller);
    if (known !== undefined) return known;
    if (this.byId.size >= this.maxIdentities) {
      throw new QueueFullError(`there are ${this.maxIdentities} identities already`);
    }
    const vms = caller.kind === "vms" ? caller : undefined;
    const cik = caller.kind === "cik" ? caller.cik : undefined;
    const state: IdentityState = cik === undefined ? "new" : "active";
    const { lastInsertRowid } = this.statements.insert.run(
      vms?.vendor ?? null,
      vms?.model ?? null,
      vms?.sn ?? null,
      cik ?? null,
      state,
    );
    const id = Number(lastInsertRowid);
    const identity: QueueIdentity = {
      id,
      vms: vms && { vendor: vms.vendor, model: vms.model, sn: vms.sn },
      cik,
      state,
      unauthorizedSinceMs: undefined,
      lastError: undefined,
    };
    this.remember(identity);
    if (cik !== undefined) this.own(cik, id);
    return identity;
  }

  /** @throws InvariantError for an identity that does not exist */
  change(id: number, change: IdentityChange): QueueIdentity {
    const before = this.byId.get(id);
    if (before === undefined) throw new InvariantError("no such identity", { context: { id } });
    const after = { ...before, ...change };
    this.statements.update.run(
      after.cik ?? null,
      after.state,
      after.unauthorizedSinceMs ?? null,
      after.lastError ?? null,
      id,
    );
    this.remember(after);
    if (after.cik !== undefined && after.cik !== before.cik) this.own(after.cik, id);
    return after;
  }

  private remember(identity: QueueIdentity): void {
    this.byId.set(identity.id, identity);
    if (identity.vms !== undefined) this.byVms.set(vmsKey(identity.vms), identity.id);
  }

  private own(cik: string, id: number): void {
    this.statements.addCik.run(cik, id);
    this.byCik.set(cik, id);
  }
}

/** None of the three holds a space (http/caller.ts). */
function vmsKey({ vendor, model, sn }: { vendor: string; model: string; sn: string }): string {
  return `${vendor} ${model} ${sn}`;
}

function fromRow(row: Row): QueueIdentity {
  const { id, vendor, model, sn, cik, state, unauthorized_since_ms, last_error } = row;
  return {
    id,
    vms: vendor === null || model === null || sn === null ? undefined : { vendor, model, sn },
    cik: cik ?? undefined,
    state,
    unauthorizedSinceMs: unauthorized_since_ms ?? undefined,
    lastError: last_error ?? undefined,
  };
}
