import type { Paths } from "../config/index.ts";
import { CommandError, UsageError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

/** What every `gwe` command works with. */
export interface GweContext {
  readonly terminal: Terminal;
  readonly paths: Paths;
}

/** The one application that a command is about. */
export function onlyApp(positionals: readonly string[], usage: string): string {
  const [app, ...more] = positionals;
  if (app === undefined || more.length > 0) throw new UsageError(`usage: ${usage}`);
  // It becomes part of a path and of a URL.
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,99}$/.test(app))
    throw new CommandError(`'${app}' is no application's name`);
  return app;
}
