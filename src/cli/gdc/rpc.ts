import { CommandError, UsageError } from "../errors.ts";
import { optionOf, type Procedure, writeJson } from "./procedure.ts";
import { readValue } from "./value-argument.ts";

export const rpc: Procedure = {
  usage: "rpc <cik> <procedure> [<argument as JSON>...]",
  help: "call a procedure and print its result as JSON",
  authorised: true,
  wordsAreValues: true,
  run: async (call) => {
    const [procedure = "", ...words] = call.words;
    if (procedure === "") throw new UsageError(`usage: gdc ${rpc.usage}`);
    const parameters: unknown[] = [];
    for (const word of words) parameters.push(parseArgument(await readValue(word, call.terminal)));
    const clientId = optionOf(call, "client-id");
    const [answer] = await call.api.rpc(
      [{ procedure, arguments: parameters }],
      clientId === undefined ? {} : { clientId },
    );
    if (answer?.status !== "ok") {
      const detail = answer?.error === undefined ? "" : `: ${JSON.stringify(answer.error)}`;
      throw new CommandError(`Murano answers '${answer?.status ?? "nothing"}' to ${procedure}${detail}`);
    }
    if (answer.result !== undefined) await writeJson(call, answer.result);
    return 0;
  },
};

function parseArgument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(
      `'${text.slice(0, 40)}' is not JSON: a text is written '"text"', an alias '{"alias":"name"}'`,
      { cause },
    );
  }
}
