import { existsSync } from "node:fs";
import type { JobRecord } from "../core/control-api.ts";
import { describeError } from "../core/errors.ts";
import { parseArguments } from "./arguments.ts";
import { ControlClient } from "./control-client.ts";
import { CommandError, ControlAccessError, EngineNotRunningError, UsageError } from "./errors.ts";
import { type GweContext, onlyApp } from "./gwe-context.ts";
import { describeHistory } from "./history-text.ts";

const flags = [
  { long: "json", help: "Print it as JSON." },
  { long: "output", help: "With what the scripts printed." },
] as const;

/** `gwe history [APP] [--output] [--json]` */
export async function showHistory(argv: readonly string[], context: GweContext): Promise<number> {
  const usage = "gwe history [APP] [--output] [--json]";
  const { flags: given, positionals } = parseArguments(flags, argv);
  if (positionals.length > 1) throw new UsageError(`usage: ${usage}`);
  const app = positionals.length === 0 ? undefined : onlyApp(positionals, usage);
  const records = await recordsOf(app, context);
  await context.terminal.write(
    given.has("json")
      ? `${JSON.stringify(records, null, 2)}\n`
      : describeHistory(records, { withOutput: given.has("output") }),
  );
  return 0;
}

/** From the engine; from its database where the engine is away. */
async function recordsOf(app: string | undefined, { paths }: GweContext): Promise<readonly JobRecord[]> {
  try {
    return await new ControlClient({ socketPath: paths.controlSocket }).history(app);
  } catch (error) {
    if (!(error instanceof EngineNotRunningError || error instanceof ControlAccessError)) throw error;
    if (!existsSync(paths.gatewayDb)) return [];
  }
  const { openReadOnly } = await import("../platform/sqlite.ts");
  const { readHistory } = await import("../ota/index.ts");
  try {
    const db = openReadOnly(paths.gatewayDb);
    try {
      return readHistory(db, app);
    } finally {
      db.close();
    }
  } catch (cause) {
    throw new CommandError(`cannot read ${paths.gatewayDb}: ${describeError(cause)}`, { cause });
  }
}
