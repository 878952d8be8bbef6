/** A program and its arguments. */
export interface CommandLine {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * Becomes "$@" in a scope of its own beside the service. A systemd that does not answer is no reason not to run it.
 * What the service is spared when memory runs out is not for what it starts.
 */
const enterScope = `slice=$0 what=$1
shift
{ echo 0 >/proc/$$/oom_score_adj; } 2>/dev/null
scope="systemd-run --scope --quiet --collect --slice=$slice"
$scope -- true 2>/dev/null && exec $scope --description="$what" -- "$@"
exec "$@"`;

/**
 * For programs that the end of this service is not to end: systemd has them in a scope of `slice`. Pid, process group,
 * environment and exit status are as without it.
 *
 * @param what for `systemctl status`
 */
export function inOwnScope(slice: string, what: string, { command, args }: CommandLine): CommandLine {
  return { command: "/bin/sh", args: ["-c", enterScope, slice, what, command, ...args] };
}
