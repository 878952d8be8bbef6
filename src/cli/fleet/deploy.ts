import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../../core/errors.ts";
import { CommandError, UsageError } from "../errors.ts";
import { table } from "../status-text.ts";
import { CommandBox, pointsOf } from "./command-box.ts";
import { upload } from "./content.ts";
import { parseCommandEnd } from "./fetch-status.ts";
import { type FleetCall, type FleetCommand, forEachOf, optionOf, writeResult } from "./fleet-call.ts";
import type { Serial } from "./owner-api.ts";
import { selectGateways } from "./selection.ts";

type State = "blocked" | "waiting" | "taken" | "replaced" | "succeeded" | "failed" | "rolled-back" | "error";

interface Deployed {
  readonly product: string;
  readonly sn: string;
  readonly rid: string;
  readonly state: State;
  readonly detail: string;
  /** The command's second in engine_fetch. */
  readonly ts?: number;
}

const pollMs = 1_000;
const underWay: readonly State[] = ["waiting", "taken"];
const ended: readonly State[] = ["blocked", "replaced", "failed", "rolled-back", "error"];

export const deploy: FleetCommand = {
  usage: "deploy PACKAGE... | --command JSON  SELECTION [--upload] [--wait SECONDS] [--dry-run]",
  help: "install contents, or give another command, where no other waits",
  run: async (call) => {
    const command = commandOf(call);
    const waitS = secondsOf(call);
    const gateways = await selectGateways(call, { allByDefault: false });
    if (gateways.length === 0) throw new CommandError("no gateway is chosen");
    if (call.options.has("dry-run"))
      return await tell(
        call,
        "",
        gateways.map((one) => outcome(one, "waiting", "")),
      );
    for (const product of new Set(gateways.map(({ product }) => product)))
      await prepare(call, product, command);
    const id = `fleet-${randomBytes(6).toString("hex")}`;
    const text = JSON.stringify({ ...command, id });
    const box = new CommandBox(call.owner);
    let rows = await forEachOf(gateways, (gateway) => deliver(box, gateway, text));
    const deadline = performance.now() + waitS * 1000;
    while (rows.some(({ state }) => underWay.includes(state)) && performance.now() < deadline) {
      await delay(pollMs);
      rows = await forEachOf(rows, (row) => follow(call, box, row, { id, command }));
      call.terminal.note(`gwe: ${countsOf(rows)}`);
    }
    return await tell(call, id, rows);
  },
};

type Command = Readonly<Record<string, unknown>>;

function commandOf(call: FleetCall): Command {
  const given = optionOf(call, "command");
  if ((given === undefined) === (call.words.length === 0)) {
    throw new UsageError(`usage: gwe fleet ${deploy.usage}`);
  }
  if (given === undefined) {
    const names = call.words.map((word) =>
      call.options.has("upload") ? (word.split("/").at(-1) ?? word) : word,
    );
    return { install: names.map((name) => ({ name })) };
  }
  return parseCommandOption(given);
}

/** @throws UsageError for what is no JSON object with something to do */
export function parseCommandOption(text: string): Command {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError("--command is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UsageError('--command is an object such as {"restart":["meter"]}');
  }
  const { id: _, ...command } = value as Record<string, unknown>;
  if (Object.keys(command).length === 0) throw new UsageError("--command holds nothing to do");
  return command;
}

function secondsOf(call: FleetCall): number {
  const text = optionOf(call, "wait") ?? "0";
  if (!/^\d{1,6}$/.test(text)) throw new UsageError("--wait takes whole seconds");
  return Number(text);
}

/** A content that a product lacks would fail on each of its gateways: better told before anything is sent. */
async function prepare(call: FleetCall, product: string, command: Command): Promise<void> {
  if (call.options.has("upload")) {
    for (const file of call.words) await upload(call, product, file, "");
    return;
  }
  if (!Array.isArray(command.install)) return;
  const there = new Set(await call.owner.contents(product));
  for (const entry of command.install as readonly { readonly name?: unknown }[]) {
    const name = String(entry?.name);
    if (!there.has(name)) {
      throw new CommandError(
        `product ${product} has no content ${name}: gwe fleet content upload ${product} FILE`,
      );
    }
  }
}

async function deliver(box: CommandBox, gateway: Serial, text: string): Promise<Deployed> {
  try {
    const delivery = await box.deliver(gateway.rid, text);
    if (delivery.kind === "sent") return { ...outcome(gateway, "waiting", ""), ts: delivery.ts };
    return outcome(gateway, "blocked", `another command waits: ${delivery.by.slice(0, 100)}`);
  } catch (error) {
    return outcome(gateway, "error", describeError(error));
  }
}

async function follow(
  { owner }: FleetCall,
  box: CommandBox,
  row: Deployed,
  { id, command }: { readonly id: string; readonly command: Command },
): Promise<Deployed> {
  if (!underWay.includes(row.state) || row.ts === undefined) return row;
  try {
    const [read] = await owner.calls(row.rid, [
      { procedure: "read", arguments: [{ alias: "fetch_status" }, { limit: 20, sort: "desc" }] },
    ]);
    const askedBack = Array.isArray(command.rollback) ? command.rollback.map(String) : [];
    const end = pointsOf(read?.status, read?.result)
      .map(([, value]) => parseCommandEnd(value, askedBack))
      .find((one) => one?.id === id);
    if (end) return { ...row, state: end.state, detail: end.detail };
    if (row.state === "taken") return row;
    const next = await box.nextAfter(row.rid, row.ts);
    if (next === undefined) return row;
    return next === "" ? { ...row, state: "taken" } : { ...row, state: "replaced", detail: "overwritten" };
  } catch (error) {
    // The next round asks again; what is known so far stays.
    return { ...row, detail: describeError(error) };
  }
}

function outcome({ product, sn, rid }: Serial, state: State, detail: string): Deployed {
  return { product, sn, rid, state, detail };
}

function countsOf(rows: readonly Deployed[]): string {
  const counts = new Map<string, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}

async function tell(call: FleetCall, id: string, rows: readonly Deployed[]): Promise<number> {
  await writeResult(call, { id, gateways: rows.map(({ ts: _, ...row }) => row) }, () => {
    const lines = table(
      ["PRODUCT", "SERIAL", "STATE", "DETAIL"],
      rows.map(({ product, sn, state, detail }) => [product, sn, state, detail]),
    );
    return `${lines.join("\n")}\n${id === "" ? "Would be sent" : id}: ${countsOf(rows)}\n`;
  });
  return rows.some(({ state }) => ended.includes(state)) ? 1 : 0;
}
