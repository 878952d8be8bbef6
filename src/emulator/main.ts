import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { parseCommandLine, usage } from "./command-line.ts";
import { type EmulatorOptions, startEmulator } from "./emulator.ts";
import { UsageError } from "./errors.ts";

/** stdout carries the ready line alone; what else there is to say goes to stderr, one JSON object a line. */
const stderrLogger: Logger = (() => {
  const write = (level: string, message: string, fields: object = {}) =>
    process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
    child: () => logger,
  };
  return logger;
})();

async function main(argv: readonly string[]): Promise<void> {
  const command = parseCommandLine(argv, process.env);
  switch (command.kind) {
    case "help":
      process.stdout.write(usage);
      return;
    case "version":
      process.stdout.write(`${version()}\n`);
      return;
    case "run":
      await run(command.options, command.offlineForMs);
  }
}

async function run(options: EmulatorOptions, offlineForMs: number): Promise<void> {
  const emulator = await startEmulator({ ...options, logger: stderrLogger });
  const stop = () => {
    process.removeListener("SIGTERM", stop);
    process.removeListener("SIGINT", stop);
    void emulator.close().then(() => process.exit(0), fail);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  if (offlineForMs > 0) await emulator.goOffline(offlineForMs);
  const { url, token, cik } = emulator;
  process.stdout.write(`${JSON.stringify({ url, token, cik })}\n`);
}

/** Two levels up in the sources, one in the bundle. */
function version(): string {
  for (const up of ["..", "../.."]) {
    try {
      const text = readFileSync(join(import.meta.dirname, up, "package.json"), "utf8");
      return String((JSON.parse(text) as { version: unknown }).version);
    } catch (error) {
      if (up === "../..") throw error;
    }
  }
  return "";
}

function fail(error: unknown): void {
  process.stderr.write(`murano-emulator: ${describeError(error)}\n`);
  if (error instanceof UsageError) process.stderr.write("Try 'murano-emulator --help'.\n");
  process.exit(error instanceof UsageError ? 2 : 1);
}

main(process.argv.slice(2)).catch(fail);
