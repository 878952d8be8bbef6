import type { Point } from "../../device-client/index.ts";
import { UsageError } from "../errors.ts";
import type { Terminal } from "../terminal.ts";
import type { Procedure } from "./procedure.ts";
import { readValue } from "./value-argument.ts";
import { reportTime } from "./write.ts";

/** Of one request: small enough for any server's limit on bodies with values of a usual size. */
const pointsPerRequest = 500;

export const record: Procedure = {
  usage: "record <cik> <alias> <ts>=<value>...",
  help: "write history; '-' or @FILE: one <ts>=<value> a line",
  authorised: true,
  wordsAreValues: true,
  run: async (call) => {
    const [alias = "", ...words] = call.words;
    if (alias === "" || words.length === 0) throw new UsageError(`usage: gdc ${record.usage}`);
    const points = await pointsOf(words, call.terminal);
    let serverTimeMs: number | undefined;
    // Repeating is safe: a second point at the same time is none.
    for (let first = 0; first < points.length; first += pointsPerRequest) {
      const part = points.slice(first, first + pointsPerRequest);
      ({ serverTimeMs } = await call.api.record([{ alias, points: part }]));
    }
    await reportTime(call, serverTimeMs);
    return 0;
  },
};

async function pointsOf(words: readonly string[], terminal: Terminal): Promise<Point[]> {
  const [only = ""] = words;
  if (words.length > 1 || !(only === "-" || only.startsWith("@"))) return words.map((word) => pointOf(word));
  const text = await readValue(only, terminal);
  return text
    .split("\n")
    .map((line, index) => ({ line: line.replace(/\r$/, ""), place: `line ${index + 1}` }))
    .filter(({ line }) => line !== "")
    .map(({ line, place }) => pointOf(line, place));
}

function pointOf(text: string, place?: string): Point {
  const found = /^(\d{1,12})=(.*)$/s.exec(text);
  if (found === null) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw new UsageError(
      `${place === undefined ? "" : `${place}: `}'${shown}' is not <unix seconds>=<value>`,
    );
  }
  return [Number(found[1]), found[2] ?? ""];
}
