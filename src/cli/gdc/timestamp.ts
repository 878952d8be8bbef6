import { UsageError } from "../errors.ts";
import { isJson, type Procedure, writeJson } from "./procedure.ts";

export const timestamp: Procedure = {
  usage: "timestamp",
  help: "print the server's unix seconds",
  authorised: false,
  wordsAreValues: false,
  run: async (call) => {
    if (call.words.length > 0) throw new UsageError(`usage: gdc ${timestamp.usage}`);
    const seconds = await call.api.timestamp();
    if (isJson(call)) await writeJson(call, { timestamp: seconds });
    else await call.terminal.write(`${seconds}\n`);
    return 0;
  },
};
