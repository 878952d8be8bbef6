import { engineVersion, type Paths, resolvePaths } from "../config/index.ts";
import { isCik, unquoteEmpty } from "../core/cik.ts";
import { installationPath } from "../platform/installation-path.ts";
import { describeFlags, type Flag, type ParsedArguments, parseArguments } from "./arguments.ts";
import { connectDevice } from "./connect-device.ts";
import {
  type ConnectDevice,
  type DeviceQuestion,
  deviceSettings,
  notActivated,
  type OpenDevice,
} from "./device.ts";
import { UsageError } from "./errors.ts";
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
  { long: "path", short: "p", help: "Print the directory where it is installed." },
  { long: "gateway", short: "g", help: "Be the gateway itself: no <cik> is given then." },
  { long: "url", takes: "value", value: "URL", help: "Speak to this server: scheme://host[:port]." },
];

const help = `usage: gdc write <cik> <alias> <value>   write one value
       gdc read <cik> <alias>...         print the newest values

Instead of <cik>: --gateway, or the environment variable GWE_CIK.
'read' of one alias prints the value alone; of several, one <alias>=<value> a line.
An alias without a value prints nothing.

${describeFlags(flags)}

Exit status: 0 done, 1 failed, 2 wrong usage, 4 permission denied,
5 Murano cannot be reached now (try later), 6 the CIK is refused,
255 the configuration is invalid.
`;

/** `gdc` as a process of its own. */
export function main(): Promise<void> {
  return runAsProcess("gdc", (argv, terminal) =>
    runGdc(argv, { terminal, paths: resolvePaths(terminal.env), connect: connectDevice }),
  );
}

type Procedure = (device: OpenDevice["api"], words: readonly string[], terminal: Terminal) => Promise<void>;

const procedures = new Map<string, Procedure>([
  ["write", write],
  ["read", read],
]);

/** Runs one `gdc` command line and resolves to its exit status; errors are thrown. */
export async function runGdc(argv: readonly string[], context: GdcContext): Promise<number> {
  const { terminal, paths } = context;
  const parsed = parseGdc(argv);
  const [word, ...words] = parsed.positionals;
  if (parsed.flags.has("help")) await terminal.write(help);
  else if (parsed.flags.has("version")) await terminal.write(`${engineVersion}\n`);
  else if (parsed.flags.has("path")) await terminal.write(`${installationPath()}\n`);
  else {
    const procedure = procedures.get(word ?? "");
    if (procedure === undefined) throw unknownProcedure(word);
    const asked = whoAsks(words, parsed.flags, context);
    const url = parsed.flags.get("url")?.[0];
    if (url !== undefined && !/^https?:\/\/[^/?#@\s]+\/?$/i.test(url)) {
      throw new UsageError("--url is http:// or https://, a host and perhaps a port");
    }
    const device = await context.connect(deviceSettings({ paths, url, caller: asked.caller }));
    try {
      await procedure(device.api, asked.words, terminal);
    } finally {
      await device.close();
    }
  }
  return 0;
}

/** Options stand before the procedure's own words; behind them a value may look like an option (`-5`). */
function parseGdc(argv: readonly string[]): ParsedArguments {
  const start = argv.findIndex((word) => procedures.has(word));
  if (start < 0) return parseArguments(flags, argv);
  const own = argv.findIndex((word, index) => index > start && !isOwnFlag(word) && !isUrlValue(argv, index));
  const end = own < 0 ? argv.length : own;
  const before = parseArguments(flags, [...argv.slice(0, start), ...argv.slice(start + 1, end)]);
  if (before.positionals.length > 0) throw new UsageError(`'${argv[start]}' comes first; -h explains`);
  return { flags: before.flags, positionals: [argv[start] ?? "", ...argv.slice(end)] };
}

function isOwnFlag(word: string): boolean {
  return /^(--(gateway|help|version|path|url(=.*)?)|-[hvpg]+)$/.test(word);
}

function isUrlValue(argv: readonly string[], index: number): boolean {
  return argv[index - 1] === "--url";
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

async function write(device: OpenDevice["api"], words: readonly string[]): Promise<void> {
  const [alias = "", value, ...more] = words;
  if (alias === "" || value === undefined || more.length > 0) {
    throw new UsageError("usage: gdc write <cik> <alias> <value>");
  }
  await device.write({ [alias]: value });
}

async function read(
  device: OpenDevice["api"],
  aliases: readonly string[],
  terminal: Terminal,
): Promise<void> {
  if (aliases.length === 0 || aliases.includes("")) throw new UsageError("usage: gdc read <cik> <alias>...");
  const { values } = await device.read(aliases);
  for (const alias of new Set(aliases)) {
    const value = values.get(alias);
    if (value === undefined) continue;
    await terminal.write(aliases.length === 1 ? `${value}\n` : `${alias}=${value}\n`);
  }
}
