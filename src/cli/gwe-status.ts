import { parseArguments } from "./arguments.ts";
import { ControlClient } from "./control-client.ts";
import { ControlAccessError, EngineNotRunningError, UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { describeApps, describeStatus } from "./status-text.ts";

const flags = [{ long: "json", help: "Print it as JSON." }] as const;

/**
 * `gwe status [--json]`. Without an engine a person is shown the applications all the same.
 * @throws EngineNotRunningError then too
 */
export async function showStatus(argv: readonly string[], context: GweContext): Promise<number> {
  const { terminal, paths } = context;
  const parsed = parseArguments(flags, argv);
  if (parsed.positionals.length > 0) throw new UsageError("usage: gwe status [--json]");
  const isJson = parsed.flags.has("json");
  try {
    const status = await new ControlClient({ socketPath: paths.controlSocket }).status();
    await terminal.write(
      isJson ? `${JSON.stringify(status, null, 2)}\n` : describeStatus(status, Date.now()),
    );
    return 0;
  } catch (error) {
    if (error instanceof EngineNotRunningError && !isJson) await showApps(context);
    throw error;
  }
}

/** As their launchers know them, who keep them running meanwhile. */
async function showApps({ terminal, paths }: GweContext): Promise<void> {
  const { appsWithoutEngine } = await import("./without-engine.ts");
  try {
    const apps = appsWithoutEngine(paths);
    if (apps.length > 0) await terminal.write(describeApps(apps, Date.now()));
  } catch (error) {
    // That the engine does not run is the news, and tells everybody what to do.
    if (!(error instanceof ControlAccessError)) throw error;
  }
}
