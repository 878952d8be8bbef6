import { resolvePaths } from "../config/index.ts";
import { isHelpAsked, parseArguments } from "./arguments.ts";
import { UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { allFlags, buildFlags } from "./gwe-flags.ts";
import { suggestion } from "./suggestion.ts";
import { runAsProcess } from "./terminal.ts";

type Subcommand = (argv: readonly string[], context: GweContext) => Promise<number>;

const appAction =
  (action: "start" | "stop" | "restart"): Subcommand =>
  async (argv, context) =>
    (await import("./gwe-apps.ts")).controlApp(action, argv, context);

const subcommands = new Map<string, Subcommand>([
  ["status", async (argv, context) => (await import("./gwe-status.ts")).showStatus(argv, context)],
  ["logs", async (argv, context) => (await import("./gwe-logs.ts")).showLogs(argv, context)],
  ["start", appAction("start")],
  ["stop", appAction("stop")],
  ["restart", appAction("restart")],
  ["install", async (argv, context) => (await import("./gwe-install.ts")).installFiles(argv, context)],
  ["remove", async (argv, context) => (await import("./gwe-install.ts")).removeApp(argv, context)],
  ["history", async (argv, context) => (await import("./gwe-history.ts")).showHistory(argv, context)],
  ["check-in", async (argv, context) => (await import("./gwe-apps.ts")).requestCheckIn(argv, context)],
  ["fleet", async (argv, context) => (await import("./gwe-fleet.ts")).runFleet(argv, context)],
  ["setup", async (argv, context) => (await import("./gwe-setup.ts")).runSetup(argv, context)],
  ["doctor", async (argv, context) => (await import("./gwe-doctor.ts")).runDoctor(argv, context)],
  [
    "support-bundle",
    async (argv, context) => (await import("./gwe-support-bundle.ts")).makeSupportBundle(argv, context),
  ],
  [
    "prepare-image",
    async (argv, context) => (await import("./gwe-prepare-image.ts")).prepareImage(argv, context),
  ],
  ["import", async (argv, context) => (await import("./gwe-import.ts")).importOriginal(argv, context)],
  ["take-over", async (argv, context) => (await import("./gwe-take-over.ts")).takeOver(argv, context)],
  // Not for people: what gateway-engine-pm2.service runs, and how it stops.
  [
    "pm2-daemon",
    async (_, context) => (await import("../daemon/pm2-daemon.ts")).becomePm2Daemon(context.paths),
  ],
  ["pm2-stop", async (_, context) => (await import("../daemon/pm2-daemon.ts")).stopPm2Apps(context.paths)],
  ["help", (_, context) => printHelp(context)],
]);

/** `gwe` as a process of its own. */
export function main(): Promise<void> {
  // Arguments may hold the CIK (--set-cik), and the title of a process is for everybody to read.
  process.title = "gwe";
  return runAsProcess("gwe", (argv, terminal) =>
    runGwe(argv, { terminal, paths: resolvePaths(terminal.env) }),
  );
}

/** Runs one `gwe` command line and resolves to its exit status; errors are thrown. */
async function runGwe(argv: readonly string[], context: GweContext): Promise<number> {
  const [word, ...rest] = argv;
  if (word !== undefined && !word.startsWith("-")) {
    const subcommand = subcommands.get(word);
    // The fleet's is a help of its own.
    if (subcommand && word !== "fleet" && isHelpAsked(rest)) return printHelp(context);
    if (subcommand) return subcommand(rest, context);
    const meant = suggestion(word, [...subcommands.keys()]);
    throw new UsageError(
      `unknown command '${word}'${meant ? `: did you mean '${meant}'?` : "; -h lists all"}`,
    );
  }
  return runFlags(argv, context);
}

async function runFlags(argv: readonly string[], context: GweContext): Promise<number> {
  const { flags, positionals } = parseArguments(allFlags, argv);
  if (positionals.length > 0) throw new UsageError(`unexpected argument '${positionals[0]}'; -h explains`);
  if (flags.has("help")) return printHelp(context);
  const area = flags.get("download-latest")?.[0];
  if (area !== undefined) return (await import("./gwe-download.ts")).downloadLatest(area, context);
  if (buildFlags.some(({ long }) => flags.has(long))) {
    return (await import("./gwe-build.ts")).runBuildTool(flags, context);
  }
  const { configure, takeLogLevel } = await import("./gwe-configure.ts");
  const logLevelOverride = takeLogLevel(flags);
  const changed = await configure(flags, context);
  const printed = await (await import("./gwe-print.ts")).printAsked(flags, context);
  const level = logLevelOverride === undefined ? {} : { logLevelOverride };
  const files = flags.get("install-apps");
  if (files !== undefined) {
    return (await import("./gwe-install.ts")).installApps(
      { files, once: flags.has("once"), ...level },
      context,
    );
  }
  if (!flags.has("once") && (changed || printed)) return 0;
  const { runDaemon } = await import("./run-daemon.ts");
  return runDaemon({ paths: context.paths, once: flags.has("once"), ...level });
}

async function printHelp({ terminal }: GweContext): Promise<number> {
  await terminal.write((await import("./gwe-help.ts")).gweHelp);
  return 0;
}
