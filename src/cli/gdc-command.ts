import { engineBuild, engineVersion, type Paths, resolvePaths } from "../config/index.ts";
import { isCik, unquoteEmpty } from "../core/cik.ts";
import { installationPath } from "../platform/installation-path.ts";
import { describeFlags, type Flag, type ParsedArguments, parseArguments } from "./arguments.ts";
import { connectDevice } from "./connect-device.ts";
import { type ConnectDevice, type DeviceQuestion, deviceSettings, notActivated } from "./device.ts";
import { UsageError } from "./errors.ts";
import { activate } from "./gdc/activate.ts";
import { content } from "./gdc/content.ts";
import { hintFor } from "./gdc/hint.ts";
import { poll } from "./gdc/poll.ts";
import { optionOf, type Procedure } from "./gdc/procedure.ts";
import { read } from "./gdc/read.ts";
import { record } from "./gdc/record.ts";
import { rpc } from "./gdc/rpc.ts";
import { timestamp } from "./gdc/timestamp.ts";
import { write } from "./gdc/write.ts";
import { suggestion } from "./suggestion.ts";
import { runAsProcess, type Terminal } from "./terminal.ts";

export interface GdcContext {
  readonly terminal: Terminal;
  readonly paths: Paths;
  readonly connect: ConnectDevice;
}

const flags: readonly Flag[] = [
  { long: "help", short: "h", help: "Print this text." },
  { long: "version", short: "v", help: "Print the version." },
  { long: "build", short: "b", help: "Print version and commit of this build." },
  { long: "path", short: "p", help: "Print the directory where it is installed." },
  { long: "gateway", short: "g", help: "Be the gateway itself: no <cik> is given then." },
  { long: "url", takes: "value", value: "URL", help: "Speak to this server: scheme://host[:port]." },
  { long: "product-id", takes: "value", value: "ID", help: "The product, in place of the configured one." },
  { long: "json", short: "j", help: "Print the result as one line of JSON." },
  { long: "timeout", takes: "value", value: "S", help: "poll: seconds to wait, 300 at most and by default." },
  {
    long: "since",
    takes: "value",
    value: "TS",
    help: "poll: unix seconds; a value written after that counts as new.",
  },
  { long: "client-id", takes: "value", value: "RID", help: "rpc: act on this child client." },
];

const procedures = new Map<string, Procedure>(
  Object.entries({ write, read, poll, record, activate, content, timestamp, rpc }),
);

const help = `usage:
${[...procedures.values()].map(({ usage, help }) => `  gdc ${usage}\n${" ".repeat(26)}${help}`).join("\n")}

Instead of <cik>: --gateway, or the environment variable GWE_CIK.
A value may be '-' (all of stdin) or @FILE (the file's content).
'read' of one alias prints the value alone; of several, one <alias>=<value> a line.
An alias without a value prints nothing.

${describeFlags(flags)}

Exit status: 0 done, 1 failed, 2 wrong usage, 4 permission denied,
5 Murano cannot be reached now (try later), 6 the CIK is refused,
7 poll: no new value in time, 8 refused: the serial is not open for
activation, or timestamps are too close, 255 the configuration is invalid.
`;

/** `gdc` as a process of its own. */
export function main(): Promise<void> {
  return runAsProcess(
    "gdc",
    (argv, terminal) => runGdc(argv, { terminal, paths: resolvePaths(terminal.env), connect: connectDevice }),
    hintFor,
  );
}

/** Runs one `gdc` command line and resolves to its exit status; errors are thrown. */
export async function runGdc(argv: readonly string[], context: GdcContext): Promise<number> {
  const { terminal, paths } = context;
  const parsed = parseGdc(argv);
  const [word, ...words] = parsed.positionals;
  const options = parsed.flags;
  const said = fact(options);
  if (said !== undefined) {
    await terminal.write(said);
    return 0;
  }
  const procedure = procedures.get(word ?? "");
  if (procedure === undefined) throw unknownProcedure(word);
  const asked = procedure.authorised
    ? whoAsks(words, options, context)
    : { caller: "nobody" as const, words };
  const url = optionOf({ options }, "url");
  if (url !== undefined && !/^https?:\/\/[^/?#@\s]+\/?$/i.test(url)) {
    throw new UsageError("--url is http:// or https://, a host and perhaps a port");
  }
  const productId = optionOf({ options }, "product-id");
  const settings = deviceSettings({ paths, url, productId, caller: asked.caller });
  const device = await context.connect(settings);
  try {
    return await procedure.run({ api: device.api, words: asked.words, options, terminal, settings });
  } finally {
    await device.close();
  }
}

/** What is asked of the program itself. */
function fact(options: ParsedArguments["flags"]): string | undefined {
  if (options.has("help")) return help;
  if (options.has("version")) return `${engineVersion}\n`;
  if (options.has("build")) return `${engineBuild}\n`;
  return options.has("path") ? `${installationPath()}\n` : undefined;
}

/** Where words are values, options stand before the first of them. */
function parseGdc(argv: readonly string[]): ParsedArguments {
  const start = argv.findIndex((word) => procedures.has(word));
  const procedure = procedures.get(argv[start] ?? "");
  if (procedure === undefined) return parseArguments(flags, argv);
  const own = argv.findIndex(
    (word, index) => index > start && !isOption(word) && !isOptionsValue(argv, index),
  );
  const end = own < 0 || !procedure.wordsAreValues ? argv.length : own;
  const before = parseArguments(flags, argv.slice(0, start));
  if (before.positionals.length > 0) throw new UsageError(`'${argv[start]}' comes first; -h explains`);
  const behind = parseArguments(flags, argv.slice(start + 1, end));
  return {
    flags: new Map([...before.flags, ...behind.flags]),
    positionals: [argv[start] ?? "", ...behind.positionals, ...argv.slice(end)],
  };
}

function isOption(word: string): boolean {
  const name = /^--([a-z-]+)(?:=.*)?$/s.exec(word)?.[1];
  if (name !== undefined) return flags.some(({ long }) => long === name);
  const letters = /^-([a-z]+)$/.exec(word)?.[1];
  return letters !== undefined && [...letters].every((letter) => flags.some(({ short }) => short === letter));
}

function isOptionsValue(argv: readonly string[], index: number): boolean {
  const before = argv[index - 1];
  return flags.some(({ long, takes }) => takes !== undefined && before === `--${long}`);
}

interface Asked {
  readonly caller: DeviceQuestion["caller"];
  /** The words that follow the CIK. */
  readonly words: readonly string[];
}

/** The gateway, or the device of the CIK on the command line, or of that in the environment. */
function whoAsks(words: readonly string[], given: ParsedArguments["flags"], { terminal }: GdcContext): Asked {
  if (given.has("gateway")) return { caller: "gateway", words };
  const [first = "", ...rest] = words;
  if (isCik(first)) return { caller: { cik: first }, words: rest };
  const fromEnvironment = terminal.env.GWE_CIK;
  if (fromEnvironment !== undefined && isCik(fromEnvironment)) {
    return { caller: { cik: fromEnvironment }, words };
  }
  // What `$(gwe --gateway-cik)` gives before the gateway is activated.
  if (words.length > 0 && unquoteEmpty(first) === "") throw notActivated();
  throw new UsageError("a CIK has 40 letters and digits; or give --gateway, or set GWE_CIK; -h explains");
}

function unknownProcedure(word: string | undefined): UsageError {
  if (word === undefined) return new UsageError("nothing to do; -h explains");
  const meant = suggestion(word, [...procedures.keys()]);
  return new UsageError(
    `unknown procedure '${word}'${meant ? `: did you mean '${meant}'?` : "; -h lists all"}`,
  );
}
