import * as z from "zod/mini";
import { describeError } from "../../core/errors.ts";
import { tagsOf } from "../../core/tags.ts";
import { formatDuration } from "../duration.ts";
import { table } from "../status-text.ts";
import { pointsOf } from "./command-box.ts";
import { parseCommandEnd } from "./fetch-status.ts";
import { type FleetCall, type FleetCommand, forEachOf, writeResult } from "./fleet-call.ts";
import type { Serial } from "./owner-api.ts";
import { selectGateways } from "./selection.ts";

interface GatewayStatus extends Serial {
  /** Unix seconds of the newest engine_report; null: none. */
  readonly reported: number | null;
  readonly engine: string;
  readonly apps: readonly { readonly name: string; readonly version: string; readonly status: string }[];
  /** The command that waits, as it stands in engine_fetch; empty: none. */
  readonly waiting: string;
  readonly result: string;
  /** Why the rest is missing. */
  readonly error?: string;
}

const text = z.catch(z.string(), "");
const engineReport = z.object({
  apps: z.array(z.record(z.string(), z.looseObject({ status: text, version: text }))),
});

export const status: FleetCommand = {
  usage: "status [SELECTION]",
  help: "who is there, in which versions, and what waits",
  run: async (call) => {
    const gateways = await selectGateways(call, { allByDefault: true });
    const rows = await forEachOf(gateways, (gateway) => statusOf(call, gateway));
    const now = await call.owner.timestamp();
    await writeResult(call, rows, () => describe(rows, now));
    return rows.some(({ error }) => error !== undefined) ? 1 : 0;
  },
};

async function statusOf({ owner }: FleetCall, gateway: Serial): Promise<GatewayStatus> {
  const nothing = { ...gateway, reported: null, engine: "", apps: [], waiting: "", result: "" };
  try {
    const answers = await owner.calls(
      gateway.rid,
      ["engine_report", "engine_fetch", "fetch_status"].map((alias) => ({
        procedure: "read",
        arguments: [{ alias }, { limit: 1, sort: "desc" }],
      })),
    );
    const [report, fetch, result] = answers.map(({ status, result }) => pointsOf(status, result)[0]);
    const all = appsIn(report?.[1] ?? "");
    return {
      ...nothing,
      reported: report?.[0] ?? null,
      engine: all.find(({ name }) => name === "gwe")?.version ?? "",
      apps: all.filter(({ name }) => name !== "gwe" && name !== "gmq"),
      waiting: fetch?.[1] ?? "",
      result: resultIn(result?.[1] ?? ""),
    };
  } catch (error) {
    return { ...nothing, error: describeError(error) };
  }
}

function resultIn(value: string): string {
  if (value === "") return "";
  const end = parseCommandEnd(value);
  return end === undefined
    ? (value.trimEnd().split("\n").at(-1)?.slice(0, 60) ?? "")
    : end.detail || end.state;
}

function appsIn(report: string): GatewayStatus["apps"] {
  let value: unknown;
  try {
    value = JSON.parse(report);
  } catch {
    return []; // nothing reported, or not by an engine
  }
  const parsed = engineReport.safeParse(value);
  if (!parsed.success) return [];
  return parsed.data.apps.flatMap((entry) =>
    Object.entries(entry).map(([name, { version, status }]) => ({ name, version, status })),
  );
}

function describe(rows: readonly GatewayStatus[], now: number): string {
  if (rows.length === 0) return "No gateways.\n";
  const lines = table(
    ["PRODUCT", "SERIAL", "TAGS", "REPORTED", "ENGINE", "APPS", "WAITING", "LAST RESULT"],
    rows.map((row) => [
      row.product,
      row.sn,
      tagsOf(row.extra).join(" "),
      row.reported === null ? row.status : `${formatDuration((now - row.reported) * 1000)} ago`,
      row.engine,
      row.apps.map(({ name, version, status }) => `${name} ${version} ${status}`).join(", "),
      row.waiting === "" ? "" : shortened(row.waiting),
      row.error ?? shortened(row.result),
    ]),
  );
  return `${lines.join("\n")}\n`;
}

function shortened(value: string): string {
  return value.length <= 60 ? value : `${value.slice(0, 59)}…`;
}
