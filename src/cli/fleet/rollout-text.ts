import { table } from "../status-text.ts";
import { printable } from "../terminal.ts";
import type { RolloutGateway, ShownRollout } from "./rollout-client.ts";

export function describeRollouts(all: readonly ShownRollout[]): string {
  if (all.length === 0) return "No roll-outs.\n";
  const rows = all.map(({ id, name, state, wave, waves, counts, createdAt }) => [
    id,
    name,
    utc(createdAt),
    state,
    `${wave + 1} of ${waves.length}`,
    countsText(counts),
  ]);
  return `${table(["ID", "NAME", "STARTED (UTC)", "STATE", "WAVE", "GATEWAYS"], rows).join("\n")}\n`;
}

export function describeRollout(rollout: ShownRollout): string {
  const { id, name, filter, command, createdAt, state, reason, soakUntil } = rollout;
  const facts: [string, string][] = [
    ["Roll-out", id],
    ["Name", name],
    ["State", reason === "" ? state : `${state}: ${reason}`],
    ["Started", `${utc(createdAt)} UTC`],
    ["Filter", filter === "" ? "(all)" : filter],
    ["Command", JSON.stringify(command)],
  ];
  if (state === "running" && soakUntil !== null) facts.push(["Soaks until", `${utc(soakUntil)} UTC`]);
  const waves = rollout.waves.map(({ size, state, counts, excused, absent }, index) => [
    String(index + 1),
    String(size),
    state,
    [countsText(counts), excused > 0 && `${excused} excused`, absent > 0 && `${absent} absent`]
      .filter((part) => part)
      .join(", "),
  ]);
  const lines = facts.map(([label, value]) => `${label.padEnd(12)} ${printable(value)}`);
  return `${[...lines, "", ...table(["WAVE", "SIZE", "STATE", "GATEWAYS"], waves)].join("\n")}\n`;
}

export function describeGateways(gateways: readonly RolloutGateway[]): string {
  const rows = gateways.map(({ product, sn, wave, state, detail }) => [
    product,
    sn,
    String(wave + 1),
    state,
    detail,
  ]);
  return `${table(["PRODUCT", "SERIAL", "WAVE", "STATE", "DETAIL"], rows).join("\n")}\n`;
}

function countsText(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([state, count]) => `${count} ${state}`)
    .join(", ");
}

function utc(unixS: number): string {
  return new Date(unixS * 1000).toISOString().slice(0, 19).replace("T", " ");
}
