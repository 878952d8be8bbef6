import { parseArguments } from "./arguments.ts";
import { ControlClient } from "./control-client.ts";
import { UsageError } from "./errors.ts";
import type { GweContext } from "./gwe-context.ts";
import { describeStatus } from "./status-text.ts";

const flags = [{ long: "json", help: "Print it as JSON." }] as const;

/** `gwe status [--json]` */
export async function showStatus(argv: readonly string[], { terminal, paths }: GweContext): Promise<number> {
  const parsed = parseArguments(flags, argv);
  if (parsed.positionals.length > 0) throw new UsageError("usage: gwe status [--json]");
  const status = await new ControlClient({ socketPath: paths.controlSocket }).status();
  await terminal.write(
    parsed.flags.has("json") ? `${JSON.stringify(status, null, 2)}\n` : describeStatus(status, Date.now()),
  );
  return 0;
}
