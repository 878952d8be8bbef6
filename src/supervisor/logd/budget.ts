/** What one log takes, bytes. */
export interface LogUsage {
  readonly current: number;
  /** The newest first. */
  readonly backups: readonly number[];
}

/** However many apps share the budget, a log may be this big before the budget has it rotated. */
const leastRotationBytes = 64 * 1024;

/**
 * The size at which a log is rotated at the latest, whatever its own limit: half its share, so that it and one backup
 * fit into it. Without this a log that is never rotated would have nothing that could be dropped.
 */
export function rotationLimit(maxBytes: number, budgetBytes: number, logs: number): number {
  const half = Math.max(leastRotationBytes, Math.floor(budgetBytes / logs / 2));
  return maxBytes === 0 ? half : Math.min(maxBytes, half);
}

/**
 * Which logs lose their oldest backup, in order, until all fit into the budget: always the one that takes most. So an
 * app that keeps within its share loses nothing for another's sake.
 */
export function backupsToDrop<Key>(usages: ReadonlyMap<Key, LogUsage>, budgetBytes: number): readonly Key[] {
  const left = new Map([...usages].map(([key, { current, backups }]) => [key, [current, ...backups]]));
  let total = sum([...left.values()].map(sum));
  const dropped: Key[] = [];
  while (total > budgetBytes) {
    const candidates = [...left].filter(([, sizes]) => sizes.length > 1);
    const largest = candidates.toSorted(([, one], [, other]) => sum(other) - sum(one))[0];
    if (largest === undefined) break;
    total -= largest[1].pop() ?? 0;
    dropped.push(largest[0]);
  }
  return dropped;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
