import { gatewayFacts } from "../../../fleet/facts.ts";
import type { VersionsBefore } from "../../../rollouts/undo.ts";
import type { Point } from "../../types.ts";
import { LatestValues } from "../dataports.ts";
import type { Dialect } from "../engine.ts";
import { Statement, type Work } from "../statement.ts";

/** What gateways tell, as far as roll-outs want to know. */
export class Reports {
  readonly #latest;
  readonly #since = new Statement<Point>(
    `SELECT point.ts, point.value FROM dataport JOIN point ON point.dataport_id = dataport.id
     WHERE dataport.client_id = $1 AND dataport.alias = 'fetch_status' AND point.ts >= $2
     ORDER BY point.ts DESC LIMIT 50`,
  );

  constructor(dialect: Dialect) {
    this.#latest = new LatestValues(dialect);
  }

  /** The newest results since then, newest first. */
  *results(clientId: number, since: number): Work<string[]> {
    return (yield* this.#since.all(clientId, since)).map(({ value }) => value.toString());
  }

  /** Versions of its apps as it last reported them. */
  *versions(clientId: number): Work<VersionsBefore> {
    const [reading] = yield* this.#latest.read(clientId, ["engine_report"]);
    if (!reading) return {};
    const report = { ts: reading.ts, text: reading.value.toString() };
    const { apps } = gatewayFacts(new Map([["engine_report", report]]));
    return Object.fromEntries(apps.map(({ name, version }) => [name, version]));
  }
}
