import { runProcess } from "./run-process.ts";

/**
 * Becomes "$@" in a scope of its own beside the service. A systemd that does not answer is no reason not to run it.
 * What the service is spared when memory runs out is not for what it starts.
 */
const enterScope = `slice=$0
{ echo 0 >/proc/$$/oom_score_adj; } 2>/dev/null
scope="systemd-run --scope --quiet --collect --slice=$slice"
$scope -- true 2>/dev/null && exec $scope --description="$1" -- "$@"
exec "$@"`;

/**
 * `runProcess` for programs that the end of this service is not to end: systemd then has them in a scope of `slice`.
 * Pid, process group, environment and exit status are as without it.
 */
export function inOwnScope(slice: string): typeof runProcess {
  return (options) =>
    runProcess({
      ...options,
      command: "/bin/sh",
      args: ["-c", enterScope, slice, options.command, ...(options.args ?? [])],
    });
}
