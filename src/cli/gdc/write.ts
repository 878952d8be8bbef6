import { UsageError } from "../errors.ts";
import { type GdcCall, isJson, type Procedure, writeJson } from "./procedure.ts";
import { readValue } from "./value-argument.ts";

export const write: Procedure = {
  usage: "write <cik> <alias> <value|-|@FILE>",
  help: "write one value",
  authorised: true,
  wordsAreValues: true,
  run: async (call) => {
    const [alias = "", value, ...more] = call.words;
    if (alias === "" || value === undefined || more.length > 0) {
      throw new UsageError(`usage: gdc ${write.usage}`);
    }
    const { serverTimeMs } = await call.api.write({ [alias]: await readValue(value, call.terminal) });
    await reportTime(call, serverTimeMs);
    return 0;
  },
};

/** Says with --json when the server took what was sent; otherwise nothing, as ever. */
export async function reportTime(call: GdcCall, serverTimeMs: number | undefined): Promise<void> {
  if (isJson(call)) {
    await writeJson(call, { timestamp: serverTimeMs === undefined ? null : Math.floor(serverTimeMs / 1000) });
  }
}
