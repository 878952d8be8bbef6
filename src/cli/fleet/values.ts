import { describeError } from "../../core/errors.ts";
import { CommandError, UsageError } from "../errors.ts";
import { readValue } from "../gdc/value-argument.ts";
import { table } from "../status-text.ts";
import { CommandBox, pointsOf } from "./command-box.ts";
import { type FleetCommand, forEachOf, writeResult } from "./fleet-call.ts";
import { selectGateways } from "./selection.ts";

interface ReadRow {
  readonly product: string;
  readonly sn: string;
  readonly rid: string;
  readonly values: ReadonlyMap<string, { readonly ts: number; readonly value: string }>;
  readonly error?: string;
}

export const read: FleetCommand = {
  usage: "read ALIAS... [SELECTION]",
  help: "the newest values of dataports",
  run: async (call) => {
    const aliases = call.words;
    if (aliases.length === 0) throw new UsageError(`usage: gwe fleet ${read.usage}`);
    const gateways = await selectGateways(call, { allByDefault: true });
    const rows = await forEachOf(gateways, async ({ product, sn, rid }): Promise<ReadRow> => {
      const row = { product, sn, rid, values: new Map() };
      try {
        const answers = await call.owner.calls(
          rid,
          aliases.map((alias) => ({
            procedure: "read",
            arguments: [{ alias }, { limit: 1, sort: "desc" }],
          })),
        );
        const found = answers.map(({ status, result }) => pointsOf(status, result)[0]);
        const values = aliases.flatMap((alias, index) => {
          const point = found[index];
          return point === undefined ? [] : [[alias, { ts: point[0], value: point[1] }] as const];
        });
        return { ...row, values: new Map(values) };
      } catch (error) {
        return { ...row, error: describeError(error) };
      }
    });
    const shown = rows.map((row) => ({ ...row, values: Object.fromEntries(row.values) }));
    await writeResult(call, shown, () => {
      const lines = table(
        ["PRODUCT", "SERIAL", ...aliases],
        rows.map(({ product, sn, values, error }) => [
          product,
          sn,
          ...aliases.map((alias, index) => values.get(alias)?.value ?? (index === 0 ? (error ?? "") : "")),
        ]),
      );
      return `${lines.join("\n")}\n`;
    });
    return rows.some(({ error }) => error !== undefined) ? 1 : 0;
  },
};

export const write: FleetCommand = {
  usage: "write ALIAS VALUE|-|@FILE SELECTION",
  help: "a value into a dataport; into engine_fetch only where no command waits",
  run: async (call) => {
    const [alias, argument, ...more] = call.words;
    if (alias === undefined || argument === undefined || more.length > 0) {
      throw new UsageError(`usage: gwe fleet ${write.usage}`);
    }
    const value = await readValue(argument, call.terminal);
    const gateways = await selectGateways(call, { allByDefault: false });
    if (gateways.length === 0) throw new CommandError("no gateway is chosen");
    const box = new CommandBox(call.owner);
    const rows = await forEachOf(gateways, async ({ product, sn, rid }) => {
      try {
        if (alias === "engine_fetch") {
          const delivery = await box.deliver(rid, value);
          const detail =
            delivery.kind === "sent" ? "" : `another command waits: ${delivery.by.slice(0, 100)}`;
          return { product, sn, rid, state: delivery.kind, detail };
        }
        const [answer] = await call.owner.calls(rid, [{ procedure: "write", arguments: [{ alias }, value] }]);
        const isDone = answer?.status === "ok";
        return {
          product,
          sn,
          rid,
          state: isDone ? "sent" : "error",
          detail: isDone ? "" : String(answer?.status),
        };
      } catch (error) {
        return { product, sn, rid, state: "error", detail: describeError(error) };
      }
    });
    await writeResult(call, rows, () => {
      const failed = rows.filter(({ state }) => state !== "sent");
      const lines = failed.map(({ product, sn, state, detail }) => `${product} ${sn}: ${state}: ${detail}`);
      return [...lines, `${rows.length - failed.length} of ${rows.length} written`, ""].join("\n");
    });
    return rows.every(({ state }) => state === "sent") ? 0 : 1;
  },
};
