import type { AppStatus } from "../../core/app-status.ts";
import type { Redact } from "../../core/redact.ts";
import type { DurableFiles } from "../../platform/durable-files.ts";
import { StepFailure } from "../errors.ts";
import type { InstallerResult } from "../state-machine.ts";
import { decodeOutput } from "../text.ts";
import { joinResults } from "./script-result.ts";
import type { StepContext } from "./step.ts";

export interface LogTail {
  readonly text: string;
  readonly lines: number;
}

/**
 * The last lines of a log, from before its last rotation too where the file itself has fewer; none where there is no
 * log. What is cut by `maxBytes` begins with a whole line.
 */
export async function readLogTail(
  { files, redact }: { readonly files: Pick<DurableFiles, "tail">; readonly redact: Redact },
  file: string,
  limits: { readonly lines: number; readonly maxBytes: number },
): Promise<LogTail> {
  const newest = await wholeLines(files, file, limits.maxBytes);
  const size = newest.reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0);
  const older =
    newest.length < limits.lines && size < limits.maxBytes
      ? await wholeLines(files, `${file}.1`, limits.maxBytes - size)
      : [];
  const lines = [...older, ...newest].slice(-limits.lines);
  return { text: redact(lines.map((line) => `${line}\n`).join("")), lines: lines.length };
}

async function wholeLines(
  files: Pick<DurableFiles, "tail">,
  file: string,
  maxBytes: number,
): Promise<readonly string[]> {
  // One more byte tells whether the first line is whole.
  const bytes = await files.tail(file, maxBytes + 1);
  if (bytes === undefined || bytes.length === 0) return [];
  const isCut = bytes.length > maxBytes;
  const lines = decodeOutput(bytes).split("\n");
  if (lines.at(-1) === "") lines.pop();
  // A torn line may begin inside a CIK, which could then not be recognised.
  return isCut ? lines.slice(1) : lines;
}

/** A failure of a version that has run: with the installer's output and the last lines of the app's log. */
export async function appFailure(
  { deps }: StepContext,
  message: string,
  status: Pick<AppStatus, "logFile">,
  result: InstallerResult,
): Promise<StepFailure> {
  const { limits, platform, redact } = deps;
  if (status.logFile === undefined) return new StepFailure(message, result);
  let told: string;
  try {
    const { text, lines } = await readLogTail({ files: platform.files, redact }, status.logFile, {
      lines: limits.logTailLines,
      maxBytes: Math.min(8_192, limits.installerOutputBytes),
    });
    told = lines === 0 ? "" : `gwe: the last lines of ${status.logFile}:\n${text}`;
  } catch (error) {
    told = `gwe: ${status.logFile} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown error"})\n`;
  }
  const log = { exitCode: null, output: told, outputBytesCut: 0 };
  return new StepFailure(message, joinResults(result, log, limits.installerOutputBytes));
}
