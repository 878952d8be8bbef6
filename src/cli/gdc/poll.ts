import { UsageError } from "../errors.ts";
import { exitStatus } from "../exit-status.ts";
import { isJson, optionOf, type Procedure, writeJson } from "./procedure.ts";

const longestS = 300;

export const poll: Procedure = {
  usage: "poll <cik> <alias> [--timeout S] [--since TS]",
  help: "wait for a new value and print it",
  authorised: true,
  wordsAreValues: false,
  run: async (call) => {
    const [alias = "", ...more] = call.words;
    if (alias === "" || more.length > 0) throw new UsageError(`usage: gdc ${poll.usage}`);
    const timeoutS = numberOf("timeout", optionOf(call, "timeout") ?? String(longestS), longestS);
    const since = optionOf(call, "since");
    const answer = await call.api.longPoll(alias, {
      timeoutMs: Math.max(1, Math.round(timeoutS * 1000)),
      ...(since !== undefined && { sinceMs: numberOf("since", since) * 1000 }),
    });
    if (isJson(call)) {
      const { changed } = answer;
      await writeJson(
        call,
        changed
          ? { changed, value: answer.value, since: toSeconds(answer.lastModifiedMs) }
          : { changed, value: null, since: null },
      );
    } else if (answer.changed) {
      await call.terminal.write(`${answer.value}\n`);
    }
    return answer.changed ? exitStatus.ok : exitStatus.nothingNew;
  },
};

function toSeconds(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.floor(ms / 1000);
}

function numberOf(option: string, text: string, most = 1e12): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= most) return value;
  throw new UsageError(`--${option} is a number of seconds from 0${most < 1e12 ? ` to ${most}` : ""}`);
}
