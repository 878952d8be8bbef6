import { setTimeout as delay } from "node:timers/promises";
import { UsageError } from "../errors.ts";
import { parseCommandOption } from "./deploy.ts";
import { type FleetCall, type FleetCommand, optionOf, writeResult } from "./fleet-call.ts";
import { RolloutClient, type ShownRollout } from "./rollout-client.ts";
import { describeGateways, describeRollout, describeRollouts } from "./rollout-text.ts";

const pollMs = 1_000;
const actions = ["pause", "resume", "abort", "roll-back"];
/** Nothing happens in these until a person acts. */
const resting = ["paused", "stopped", "aborted", "completed", "rolled-back"];
const goodEnds = ["completed", "rolled-back"];

export const rollout: FleetCommand = {
  usage:
    "rollout list | start NAME --filter FILTER (--install PACKAGE[,PACKAGE...] | --command JSON)\n" +
    "          [--waves 1%,10%,50%,100%] [--success PERCENT] [--max-failures PERCENT] [--soak S]\n" +
    "          [--absent-after S] [--result-within S] [--watch]\n" +
    "          | show|watch|pause|resume|abort|roll-back ID | gateways ID [--state STATE]",
  help: "roll-outs in waves; they live in the console's server",
  run: async (call) => {
    const [action = "list", word, ...more] = call.words;
    const client = new RolloutClient(call.http);
    if (more.length > 0) throw usage();
    if (action === "list" && word === undefined) {
      const all = await client.list();
      await writeResult(call, all, () => describeRollouts(all));
      return 0;
    }
    if (word === undefined) throw usage();
    if (action === "start") return await start(call, client, word);
    if (action === "show") return await show(call, await client.find(word));
    if (action === "watch") return await watch(call, client, word);
    if (actions.includes(action)) return await show(call, await client.act(word, action));
    if (action !== "gateways") throw usage();
    const gateways = await client.gateways(word, optionOf(call, "state"));
    await writeResult(call, gateways, () => describeGateways(gateways));
    return 0;
  },
};

async function start(call: FleetCall, client: RolloutClient, name: string): Promise<number> {
  const filter = optionOf(call, "filter");
  // The empty filter means everybody: to be said, not forgotten.
  if (filter === undefined) throw new UsageError("which gateways? --filter FILTER; --filter '' means all");
  const waves = optionOf(call, "waves")
    ?.split(",")
    .map((wave) => wave.trim());
  const made = await client.start({
    name,
    filter,
    command: commandOf(call),
    ...(waves !== undefined && { waves }),
    ...numbers(call, {
      success: "successPercent",
      "max-failures": "maxFailurePercent",
      soak: "soakS",
      "absent-after": "absentAfterS",
      "result-within": "resultWithinS",
    }),
  });
  return call.options.has("watch") ? await watch(call, client, made.id) : await show(call, made);
}

function commandOf(call: FleetCall): Readonly<Record<string, unknown>> {
  const install = optionOf(call, "install");
  const command = optionOf(call, "command");
  if ((install === undefined) === (command === undefined)) {
    throw new UsageError("give --install PACKAGE or --command JSON");
  }
  if (command !== undefined) return parseCommandOption(command);
  return { install: (install ?? "").split(",").map((name) => ({ name: name.trim() })) };
}

function numbers(call: FleetCall, keys: Readonly<Record<string, string>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(keys).flatMap(([option, key]) => {
      const text = optionOf(call, option);
      if (text === undefined) return [];
      const value = Number(text);
      if (text === "" || !Number.isFinite(value))
        throw new UsageError(`--${option} takes a number, not '${text}'`);
      return [[key, value] as const];
    }),
  );
}

async function show(call: FleetCall, found: ShownRollout): Promise<number> {
  await writeResult(call, found, () => describeRollout(found));
  return 0;
}

/** Until nothing happens any more without a person. Ends with 1 where that is no good end. */
async function watch(call: FleetCall, client: RolloutClient, id: string): Promise<number> {
  let told = "";
  for (;;) {
    const found = await client.find(id);
    const line = [found.state, ...Object.entries(found.counts).map(([state, count]) => `${count} ${state}`)];
    const text = `gwe: wave ${found.wave + 1} of ${found.waves.length}, ${line.join(", ")}`;
    if (text !== told) call.terminal.note(text);
    told = text;
    if (resting.includes(found.state)) {
      await show(call, found);
      return goodEnds.includes(found.state) ? 0 : 1;
    }
    await delay(pollMs);
  }
}

function usage(): UsageError {
  return new UsageError(`usage: gwe fleet ${rollout.usage}`);
}
