/** The life of a command, one package each. `number` is the command's, the version's and Murano's time of it. */
export interface OtaEvent {
  /**
   * - `sent`: it is in `engine_fetch`
   * - `taken`: the engine has it, and may clear `engine_fetch`
   * - `cleared`: it is off `engine_fetch`: Murano knows nothing of it any more
   * - `reported`: its `fetch_status` is on disk
   */
  readonly kind: "sent" | "taken" | "cleared" | "reported";
  readonly number: number;
}

/** What Murano would still hand out. */
export function inEngineFetch(events: readonly OtaEvent[]): number | undefined {
  const { number } = events.findLast(({ kind }) => kind === "sent") ?? {};
  const isCleared = events.some((event) => event.kind === "cleared" && event.number === number);
  return isCleared ? undefined : number;
}
