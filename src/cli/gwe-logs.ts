import { dirname, join } from "node:path";
import { parseArguments } from "./arguments.ts";
import { ControlClient } from "./control-client.ts";
import { changesOf } from "./directory-changes.ts";
import { CommandError, ControlAccessError, EngineNotRunningError, UsageError } from "./errors.ts";
import { type GweContext, onlyApp } from "./gwe-context.ts";
import { followLog, showTail } from "./log-tail.ts";

const flags = [
  { long: "follow", short: "f", help: "Go on as the log grows." },
  {
    long: "lines",
    short: "n",
    takes: "value",
    value: "N",
    help: "How many of the last lines; 20 by default.",
  },
  { long: "stderr", help: "The log of stderr, where it has one of its own." },
] as const;

/** `gwe logs APP [-f] [-n N] [--stderr]` */
export async function showLogs(argv: readonly string[], context: GweContext): Promise<number> {
  const parsed = parseArguments(flags, argv);
  const app = onlyApp(parsed.positionals, "gwe logs APP [-f] [-n N] [--stderr]");
  const wanted = parsed.flags.get("lines")?.[0] ?? "20";
  if (!/^\d{1,9}$/.test(wanted)) throw new UsageError("--lines is a whole number");
  const file = await logFileOf(app, parsed.flags.has("stderr") ? "stderr" : "stdout", context);
  const follow = parsed.flags.has("follow");
  const write = (data: Uint8Array): Promise<void> => context.terminal.write(data);
  const lines = Number(wanted);
  // Following is ended by Ctrl-C, as tail(1) is: there is nothing to clean up.
  if (follow) {
    const onGap = (): void =>
      context.terminal.note("gwe: lines may have been dropped before they could be shown");
    return followLog({ file, begin: { lines }, write, wait: changesOf(dirname(file)), onGap });
  }
  if (!(await showTail(file, lines, write))) {
    const elsewhere = app === "gwe" ? "; under systemd its log is 'journalctl -u gateway-engine'" : "";
    throw new CommandError(`${app} has no log yet: ${file} does not exist${elsewhere}`);
  }
  return 0;
}

/** Where the engine says that the log is; where it always is when the engine is away. */
async function logFileOf(app: string, stream: "stdout" | "stderr", { paths }: GweContext): Promise<string> {
  if (app === "gwe") return paths.engineLog;
  const usual = join(paths.logDir, stream === "stdout" ? `${app}.log` : `${app}-stderr.log`);
  try {
    const status = await new ControlClient({ socketPath: paths.controlSocket }).status();
    const known = status.apps.find(({ name }) => name === app);
    if (known === undefined) {
      const names = status.apps.map(({ name }) => name).join(", ");
      throw new CommandError(`there is no application '${app}'; installed: ${names || "none"}`);
    }
    if (stream === "stdout") return known.logFile ?? usual;
    if (known.stderrLogFile === undefined) {
      throw new CommandError(`stderr of ${app} has no log of its own: it goes where stdout goes, or nowhere`);
    }
    return known.stderrLogFile;
  } catch (error) {
    if (error instanceof EngineNotRunningError || error instanceof ControlAccessError) return usual;
    throw error;
  }
}
