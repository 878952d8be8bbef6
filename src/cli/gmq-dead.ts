import type { DeadLetterChoice, DeadLetterRecord } from "../core/queue-control.ts";
import { type Flag, parseArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { QueueClient } from "./queue-client.ts";
import { table } from "./status-text.ts";
import { printable } from "./terminal.ts";

const usage =
  "usage: gmq dead list [-n N] [--json] | show SEQ [--json] | retry SEQ...|--all | purge SEQ...|--all";

const flags: readonly Flag[] = [
  { long: "json", help: "Print it as JSON." },
  { long: "all", help: "All dead letters." },
  { long: "number", short: "n", takes: "value", value: "N", help: "How many at most." },
];

/** Of one page; the daemon holds no more of them in memory at a time. */
const pageSize = 500;
const valueLength = 40;

/** `gmq dead list|show|retry|purge` */
export async function deadLetters(argv: readonly string[], context: GweContext): Promise<number> {
  const [action = "list", ...rest] = argv;
  const { flags: given, positionals } = parseArguments(flags, rest);
  const client = new QueueClient({ socketPath: context.paths.controlSocket });
  const { terminal } = context;
  const asJson = given.has("json");
  switch (action) {
    case "list": {
      if (positionals.length > 0) throw new UsageError(usage);
      const most = wholeNumber(given.get("number")?.[0] ?? "50", "-n");
      const letters = await newest(client, most);
      await terminal.write(asJson ? json(letters) : describeList(letters));
      return 0;
    }
    case "show": {
      const [seq = "", ...more] = positionals;
      if (seq === "" || more.length > 0) throw new UsageError(usage);
      const letter = await client.deadLetter(wholeNumber(seq, "SEQ"));
      await terminal.write(asJson ? json(letter) : describeLetter(letter));
      return 0;
    }
    case "retry": {
      const count = await client.retry(choiceOf(positionals, given.has("all")));
      await terminal.write(`${count} put back into the queue.\n`);
      return 0;
    }
    case "purge": {
      const count = await client.purge(choiceOf(positionals, given.has("all")));
      await terminal.write(`${count} deleted.\n`);
      return 0;
    }
    default:
      throw new UsageError(usage);
  }
}

function choiceOf(positionals: readonly string[], all: boolean): DeadLetterChoice {
  if (all === positionals.length > 0) throw new UsageError(usage);
  return all ? { all } : { seqs: positionals.map((seq) => wholeNumber(seq, "SEQ")) };
}

function wholeNumber(text: string, what: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`${what} is a whole number, not '${text}'`);
  return Number(text);
}

async function newest(client: QueueClient, most: number): Promise<readonly DeadLetterRecord[]> {
  const letters: DeadLetterRecord[] = [];
  while (letters.length < most) {
    const limit = Math.min(pageSize, most - letters.length);
    const page = await client.deadLetters(limit, letters.at(-1)?.seq);
    letters.push(...page);
    if (page.length < limit) break;
  }
  return letters;
}

function describeList(letters: readonly DeadLetterRecord[]): string {
  if (letters.length === 0) return "No dead letters.\n";
  const rows = letters.map((letter) => [
    String(letter.seq),
    letter.identity,
    letter.alias,
    instant(letter.timeMs),
    letter.reason,
    letter.status === null ? "-" : String(letter.status),
    letter.value.length > valueLength ? `${letter.value.slice(0, valueLength)}…` : letter.value,
  ]);
  return `${table(["SEQ", "IDENTITY", "ALIAS", "TIME", "REASON", "STATUS", "VALUE"], rows).join("\n")}\n`;
}

function describeLetter(letter: DeadLetterRecord): string {
  const facts: [string, string][] = [
    ["Seq", String(letter.seq)],
    ["Identity", letter.identity],
    ["Alias", letter.alias],
    ["Time", instant(letter.timeMs)],
    ["Set aside", instant(letter.diedAtMs)],
    ["Reason", letter.reason],
    ["Status", letter.status === null ? "-" : String(letter.status)],
    ["Answer", letter.answer ?? "-"],
    ["Value", letter.value],
  ];
  return `${facts.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}`).join("\n")}\n`;
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
