import type { ProcessStatus } from "../core/app-status.ts";

/**
 * What is known of an app from what is known of its processes: the facts of the one that is worst off, as supervisord
 * has no word for a group. Settled states come last, so that a start is over when it is for all; what still runs
 * counts before what has ended as it should.
 *
 * @param processes at least one
 */
export function groupStatus(
  name: string,
  processes: readonly [ProcessStatus, ...ProcessStatus[]],
): ProcessStatus {
  const worst = processes.reduce((one, other) => (badness(other) > badness(one) ? other : one));
  const up = processes.filter(({ state }) => state === "RUNNING");
  const starts = processes.flatMap(({ startedAtMs }) => startedAtMs ?? []);
  const { detail, ...facts } = worst;
  const told = [
    ...(worst.state === "RUNNING" && up.length === processes.length
      ? []
      : [`${up.length} of ${processes.length} RUNNING`]),
    ...(detail === undefined ? [] : [`${worst.name}: ${detail}`]),
  ];
  return {
    ...facts,
    name,
    restarts: processes.reduce((sum, { restarts }) => sum + restarts, 0),
    // As long as the app has been up as a whole.
    ...(worst.startedAtMs !== undefined && { startedAtMs: Math.max(...starts) }),
    ...(told.length > 0 && { detail: told.join("; ") }),
  };
}

function badness({ state, restarting, health }: ProcessStatus): number {
  switch (state) {
    case "FATAL":
      return 8;
    case "UNKNOWN":
      return 7;
    case "BACKOFF":
      return 6;
    case "EXITED":
      return restarting === true ? 5 : 1;
    case "STOPPING":
      return 4;
    case "STARTING":
      return 3;
    case "RUNNING":
      return health === "failing" ? 2.5 : 2;
    case "STOPPED":
      return 0;
  }
}
