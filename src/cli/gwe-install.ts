import { accessSync, constants } from "node:fs";
import { basename, resolve } from "node:path";
import type { LogLevel } from "../config/index.ts";
import type { InstallResult } from "../core/control-api.ts";
import { parsePackageName } from "../core/package-name.ts";
import { parseArguments } from "./arguments.ts";
import { ControlClient } from "./control-client.ts";
import { CommandError, EngineNotRunningError, UsageError } from "./errors.ts";
import { type GweContext, onlyApp } from "./gwe-context.ts";
import { installThroughRestarts } from "./install-follow.ts";
import { showProgress } from "./install-progress.ts";
import { runDaemon } from "./run-daemon.ts";
import { printable } from "./terminal.ts";

export interface InstallOptions {
  readonly files: readonly string[];
  readonly once: boolean;
  readonly logLevelOverride?: LogLevel;
  /** Tell on stderr how far it is. */
  readonly progress?: boolean;
}

/** `gwe --install-apps TARBALL…`: by the running engine where there is one, else by an engine of its own. */
export async function installApps(options: InstallOptions, context: GweContext): Promise<number> {
  const { paths, terminal } = context;
  const files = options.files.map(readableTarball);
  try {
    const client = new ControlClient({ socketPath: paths.controlSocket });
    const packages = files.map((file) => parsePackageName(basename(file)));
    const results = await (options.progress === true
      ? showProgress(
          installThroughRestarts({ client, files, packages, note: (line) => terminal.note(line) }),
          { terminal, jobs: async () => (await client.status()).jobs, packages },
        )
      : client.install(files));
    for (const result of results) await terminal.write(describeResult(result));
    return results.every(({ status }) => status === "installed") ? 0 : 1;
  } catch (error) {
    if (!(error instanceof EngineNotRunningError)) throw error;
  }
  const { once, logLevelOverride } = options;
  const level = logLevelOverride === undefined ? {} : { logLevelOverride };
  return runDaemon({ paths, once, installFiles: files, ...level });
}

/** `gwe install FILE…` */
export async function installFiles(argv: readonly string[], context: GweContext): Promise<number> {
  const files = parseArguments([], argv).positionals;
  if (files.length === 0) throw new UsageError("usage: gwe install FILE...");
  return installApps({ files, once: false, progress: true }, context);
}

/** `gwe remove APP`: likewise by the running engine, or one of its own. */
export async function removeApp(argv: readonly string[], context: GweContext): Promise<number> {
  const { paths, terminal } = context;
  const app = onlyApp(parseArguments([], argv).positionals, "gwe remove APP");
  try {
    const result = await new ControlClient({ socketPath: paths.controlSocket }).remove(app);
    await terminal.write(describeResult(result));
    return result.status === "removed" ? 0 : 1;
  } catch (error) {
    if (!(error instanceof EngineNotRunningError)) throw error;
  }
  return runDaemon({ paths, removeApps: [app] });
}

/** Absolute, and known to be there: the engine that reads it has another working directory. */
function readableTarball(file: string): string {
  const path = resolve(file);
  parsePackageName(basename(path));
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new CommandError(`cannot read ${path}`, { cause: error });
  }
  return path;
}

function describeResult({ name, version, status, exitCode, output }: InstallResult): string {
  const code = exitCode === null || exitCode === 0 ? "" : ` (exit status ${exitCode})`;
  const text = output === "" || output.endsWith("\n") ? output : `${output}\n`;
  return `${text}${printable(`${[name, version].filter((part) => part !== "").join(" ")}: ${status}${code}`)}\n`;
}
