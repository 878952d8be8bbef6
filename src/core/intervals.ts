/** Longest check-in interval in seconds: Node's timers end at 2^31 - 1 milliseconds, and a longer one would fire at once. */
export const maxIntervalS = 2_147_483;
