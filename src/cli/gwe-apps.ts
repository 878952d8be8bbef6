import { parseArguments } from "./arguments.ts";
import { type AppAction, ControlClient } from "./control-client.ts";
import { UsageError } from "./errors.ts";
import { type GweContext, onlyApp } from "./gwe-context.ts";
import { describeApp } from "./status-text.ts";

/** `gwe start|stop|restart APP` */
export async function controlApp(
  action: AppAction,
  argv: readonly string[],
  { terminal, paths }: GweContext,
): Promise<number> {
  const app = onlyApp(parseArguments([], argv).positionals, `gwe ${action} APP`);
  const status = await new ControlClient({ socketPath: paths.controlSocket }).app(app, action);
  await terminal.write(`${describeApp(status)}\n`);
  return 0;
}

/** `gwe check-in` */
export async function requestCheckIn(
  argv: readonly string[],
  { terminal, paths }: GweContext,
): Promise<number> {
  if (parseArguments([], argv).positionals.length > 0) throw new UsageError("usage: gwe check-in");
  await new ControlClient({ socketPath: paths.controlSocket }).checkIn();
  await terminal.write("The engine checks in now.\n");
  return 0;
}
