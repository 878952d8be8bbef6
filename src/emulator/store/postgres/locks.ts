/** Advisory locks are numbers that a database's users agree on; these are the emulator's ("mura" in ASCII). */
export const lockClass = 0x6d757261;
export const migrationLock = 1;
/** Held by the process that carries roll-outs on. */
export const leaderLock = 2;
