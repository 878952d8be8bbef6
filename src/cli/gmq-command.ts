import { engineVersion, resolvePaths } from "../config/index.ts";
import { describeFlags, type Flag, isHelpAsked, type ParsedArguments, parseArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { suggestion } from "./suggestion.ts";
import { runAsProcess } from "./terminal.ts";

const flags: readonly Flag[] = [
  { long: "help", short: "h", help: "Print this text." },
  { long: "version", short: "v", help: "Print the version." },
  { long: "cfg-path", short: "g", help: "Print the path of gmq.cfg." },
  { long: "log-cfg-path", short: "l", help: "Print the path of logging.cfg." },
];

const help = `usage: gmq COMMAND [ARGUMENT...]
       gmq OPTION

Commands:
  status [--json]         What waits, what was delivered, dropped and set aside, and
                          how each identity's uploads go.
  drain [--timeout S]     Upload now all that waits, and show how far it is.
  dead list [-n N] [--json]
                          Dead letters, the newest first: what Murano would not have.
  dead show SEQ [--json]  One of them, with its value and Murano's answer.
  dead retry SEQ...|--all
                          Put them back into the queue.
  dead purge SEQ...|--all
                          Delete them.
  cfg                     Every option of gmq.cfg with its value.
  cfg get [SECTION [OPTION]]
                          One section; one option's value alone.
  cfg set SECTION OPTION VALUE
                          '' restores the default.
  log, log get, log set   The same for logging.cfg.
  reread                  The running queue takes up both files.

Options:
${describeFlags(flags)}

Exit status: 0 done, 1 failed, 2 wrong usage, 3 the engine is not running,
4 permission denied, 5 Murano cannot be reached now, 255 the configuration
is invalid. GWE_HOME=DIR puts everything of one engine under DIR.
`;

type Command = (argv: readonly string[], context: GweContext) => Promise<number>;

const commands = new Map<string, Command>([
  ["status", async (argv, context) => (await import("./gmq-status.ts")).showQueue(argv, context)],
  ["drain", async (argv, context) => (await import("./gmq-drain.ts")).drain(argv, context)],
  ["dead", async (argv, context) => (await import("./gmq-dead.ts")).deadLetters(argv, context)],
  ["cfg", async (argv, context) => (await import("./gmq-config.ts")).configureQueue("gmqCfg", argv, context)],
  [
    "log",
    async (argv, context) => (await import("./gmq-config.ts")).configureQueue("loggingCfg", argv, context),
  ],
  ["reread", async (argv, context) => (await import("./gmq-config.ts")).reread(argv, context)],
]);

/** `gmq` as a process of its own. */
export function main(): Promise<void> {
  process.title = "gmq";
  return runAsProcess("gmq", (argv, terminal) =>
    runGmq(argv, { terminal, paths: resolvePaths(terminal.env) }),
  );
}

async function runGmq(argv: readonly string[], context: GweContext): Promise<number> {
  const [word, ...rest] = argv;
  if (word !== undefined && !word.startsWith("-")) {
    const command = commands.get(word);
    // Behind `set` it may be a value.
    if (command !== undefined && rest[0] !== "set" && isHelpAsked(rest)) return printHelp(context);
    if (command !== undefined) return command(rest, context);
    const meant = suggestion(word, [...commands.keys()]);
    throw new UsageError(
      `unknown command '${word}'${meant ? `: did you mean '${meant}'?` : "; -h lists all"}`,
    );
  }
  return printAsked(parseArguments(flags, argv), context);
}

async function printHelp({ terminal }: GweContext): Promise<number> {
  await terminal.write(help);
  return 0;
}

async function printAsked(
  { flags: given, positionals }: ParsedArguments,
  { terminal, paths }: GweContext,
): Promise<number> {
  if (positionals.length > 0) throw new UsageError(`unexpected argument '${positionals[0]}'; -h explains`);
  if (given.size === 0) throw new UsageError("nothing to do; -h explains");
  if (given.has("help")) await terminal.write(help);
  if (given.has("version")) await terminal.write(`${engineVersion}\n`);
  if (given.has("cfg-path")) await terminal.write(`${paths.gmqCfg}\n`);
  if (given.has("log-cfg-path")) await terminal.write(`${paths.loggingCfg}\n`);
  return 0;
}
