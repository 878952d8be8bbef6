import { runProcess } from "../../platform/run-process.ts";

export interface RunCommandOptions {
  /** Of the end of its output. */
  readonly maxBytes?: number;
  /** Take what it printed whatever its exit status is. */
  readonly acceptFailure?: boolean;
  /** 10 s by default. */
  readonly timeoutMs?: number;
}

/** What a program of the system prints, trimmed; undefined where it is not there, fails, or takes too long. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { maxBytes = 65_536, acceptFailure = false, timeoutMs = 10_000 }: RunCommandOptions = {},
): Promise<string | undefined> {
  const { end, exitCode, output, outputBytesCut } = await runProcess({
    command,
    args,
    cwd: "/",
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8" },
    timeoutMs,
    killAfterMs: 500,
    maxOutputBytes: maxBytes,
  });
  if (end !== "exited" || (exitCode !== 0 && !acceptFailure)) return undefined;
  // A torn first line may begin inside a secret, which could then not be recognised.
  const whole = outputBytesCut > 0 ? output.subarray(output.indexOf("\n") + 1) : output;
  return whole.toString("utf8").trim();
}
