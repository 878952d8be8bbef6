import { getHeapStatistics } from "node:v8";

/** This process' heap, as far as its garbage is concerned. */
export interface ProcessMemory {
  /** Collects all there is and gives the room back; undefined where Node was not started for it. */
  readonly collect: (() => void) | undefined;
  /** What V8 holds, in use or not, bytes; buffers outside its heap included. */
  readonly heldBytes: () => number;
  /** How much of the time since the last call was work: 0 to 1. */
  readonly utilization: () => number;
}

/** What a start or a check-in sets going has come to rest by then. */
const settleMs = 5_000;
/** A collection takes a tenth of a second, during which nobody is answered. */
const quietUtilization = 0.1;
/** Less garbage is not worth a collection, which costs as much as ten check-ins or more, and what it throws away of their code. */
const worthwhileBytes = 6_000_000;
/** What the start has left behind. */
const worthwhileAtFirstBytes = 1_500_000;

/**
 * Gives back what work has left behind. V8 collects garbage when more room is needed, which an idle engine never
 * needs: what its start took, a third of all, would stay until the next reboot. Nothing ticks here: a look comes after
 * work, and collects when little is being done.
 */
export class IdleMemory {
  private readonly memory: ProcessMemory;
  private timer: NodeJS.Timeout | undefined;
  private heldAfterwards = 0;
  private hasCollected = false;

  constructor(memory: ProcessMemory) {
    this.memory = memory;
  }

  /** Something was done: once that is over, its garbage may go. */
  lookSoon(): void {
    if (this.memory.collect === undefined || this.timer !== undefined || !this.isWorthwhile()) return;
    this.memory.utilization();
    this.timer = setTimeout(() => this.look(), settleMs).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const { collect, heldBytes, utilization } = this.memory;
    this.timer = undefined;
    // The next attempt to speak to Murano brings the next look.
    if (utilization() > quietUtilization) return;
    collect?.();
    this.heldAfterwards = heldBytes();
    this.hasCollected = true;
  }

  private isWorthwhile(): boolean {
    const grownBytes = this.memory.heldBytes() - this.heldAfterwards;
    return grownBytes >= (this.hasCollected ? worthwhileBytes : worthwhileAtFirstBytes);
  }
}

/** The real one. */
export const processMemory: ProcessMemory = {
  collect:
    globalThis.gc &&
    (() => void globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" })),
  heldBytes: () => {
    const { total_heap_size, external_memory } = getHeapStatistics();
    return total_heap_size + external_memory;
  },
  utilization: sinceLast(),
};

function sinceLast(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}
