import * as z from "zod/mini";
import { isTag } from "../../core/tags.ts";
import { CommandError, UsageError } from "../errors.ts";
import { parseConsoleAnswer } from "./console-answer.ts";
import { OwnerRefusedError } from "./errors.ts";
import { type FleetCall, type FleetCommand, writeResult } from "./fleet-call.ts";
import { selectGateways } from "./selection.ts";

const answer = z.object({ changed: z.number() });

export const tag: FleetCommand = {
  usage: "tag TAG[,TAG...] [--remove] SELECTION",
  help: "tags gateways, or takes tags away; by the console's server",
  run: async (call) => {
    const [word, ...more] = call.words;
    if (word === undefined || more.length > 0) throw new UsageError(`usage: gwe fleet ${tag.usage}`);
    const tags = word.split(",").filter((one) => one !== "");
    const isRemoving = call.options.has("remove");
    const odd = isRemoving ? undefined : tags.find((one) => !isTag(one));
    if (odd !== undefined || tags.length === 0) throw new UsageError(`'${odd ?? word}' is no tag`);
    const rids = (await selectGateways(call, { allByDefault: false })).map(({ rid }) => rid);
    const change = { gateways: rids, [isRemoving ? "remove" : "add"]: tags };
    const changed = rids.length === 0 ? 0 : await send(call, change);
    await writeResult(call, { tags, chosen: rids.length, changed }, () => {
      return `${changed} of ${rids.length} gateways ${isRemoving ? "lost" : "got"} ${tags.join(", ")}\n`;
    });
    return 0;
  },
};

/** Murano's own interface sets a serial's text only when the serial is added. */
async function send({ http }: FleetCall, change: unknown): Promise<number> {
  try {
    const text = await http.text({ method: "POST", path: "/console/api/tags", json: change });
    return parseConsoleAnswer(answer, text).changed;
  } catch (error) {
    if (!(error instanceof OwnerRefusedError) || error.status !== 404) throw error;
    throw new CommandError("this server changes no tags: only the console's server does", { cause: error });
  }
}
