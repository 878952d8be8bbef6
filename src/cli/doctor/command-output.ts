import { runProcess } from "../../platform/run-process.ts";

/** What a program of the system prints, trimmed; undefined where it is not there, fails, or takes longer than 10 s. */
export async function runCommand(
  command: string,
  args: readonly string[],
  { maxBytes = 65_536, timeoutMs = 10_000 }: { readonly maxBytes?: number; readonly timeoutMs?: number } = {},
): Promise<string | undefined> {
  const { end, exitCode, output } = await runProcess({
    command,
    args,
    cwd: "/",
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C.UTF-8" },
    timeoutMs,
    killAfterMs: 500,
    maxOutputBytes: maxBytes,
  });
  return end === "exited" && exitCode === 0 ? output.toString("utf8").trim() : undefined;
}
