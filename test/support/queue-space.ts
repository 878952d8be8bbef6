import type { SpaceReserve } from "../../src/queue/index.ts";

/** Of a disk that never fills up. */
export const plentifulSpace: SpaceReserve = {
  isEnough: () => true,
  release: () => false,
  restore: () => Promise.resolve(),
};
