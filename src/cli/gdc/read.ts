import { UsageError } from "../errors.ts";
import { isJson, type Procedure, writeJson } from "./procedure.ts";

export const read: Procedure = {
  usage: "read <cik> <alias>...",
  help: "print the newest values",
  authorised: true,
  wordsAreValues: false,
  run: async (call) => {
    const { words: aliases, api, terminal } = call;
    if (aliases.length === 0 || aliases.includes("")) throw new UsageError(`usage: gdc ${read.usage}`);
    const { values } = await api.read(aliases);
    if (isJson(call)) {
      await writeJson(call, Object.fromEntries(aliases.map((alias) => [alias, values.get(alias) ?? null])));
      return 0;
    }
    for (const alias of new Set(aliases)) {
      const value = values.get(alias);
      if (value === undefined) continue;
      await terminal.write(aliases.length === 1 ? `${value}\n` : `${alias}=${value}\n`);
    }
    return 0;
  },
};
