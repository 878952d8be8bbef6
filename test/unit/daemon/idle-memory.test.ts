import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IdleMemory } from "../../../src/daemon/idle-memory.ts";

const startupBytes = 25_000_000;
const lastingBytes = 18_000_000;

describe("the care for memory", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function process() {
    const state = { held: startupBytes, utilization: 0.01, collections: 0 };
    const memory = new IdleMemory({
      collect: () => {
        state.collections += 1;
        state.held = lastingBytes;
      },
      heldBytes: () => state.held,
      utilization: () => state.utilization,
    });
    const work = (): void => {
      memory.lookSoon();
      vi.advanceTimersByTime(60_000);
    };
    return { state, memory, work };
  }

  it("collects once when work is over, and again only when more work has left enough", () => {
    const { state, work } = process();
    work();
    expect(state.collections).toBe(1);
    work();
    state.held += 100_000;
    work();
    expect(state.collections).toBe(1);
    state.held += 5_000_000;
    work();
    expect(state.collections).toBe(1);
    state.held += 5_000_000;
    work();
    expect(state.collections).toBe(2);
  });

  it("holds up nobody who is being served", () => {
    const { state, work } = process();
    state.utilization = 0.5;
    work();
    expect(state.collections).toBe(0);
    state.utilization = 0.02;
    work();
    expect(state.collections).toBe(1);
  });

  it("does nothing of itself, and nothing after the end", () => {
    const { state, memory } = process();
    vi.advanceTimersByTime(3_600_000);
    memory.lookSoon();
    memory.stop();
    vi.advanceTimersByTime(3_600_000);
    expect(state.collections).toBe(0);
  });

  it("gives real memory back, as bin/gwe starts Node", () => {
    const module = join(import.meta.dirname, "../../../src/daemon/idle-memory.ts");
    const program = `
      import { processMemory } from ${JSON.stringify(module)};
      let garbage = Array.from({ length: 200_000 }, (_, index) => ({ index, text: "x" + index }));
      const before = processMemory.heldBytes();
      garbage = undefined;
      processMemory.collect();
      console.log(before - processMemory.heldBytes());
    `;
    const flags = ["--expose-gc", "--input-type=module", "--eval", program];
    const { stdout } = spawnSync(globalThis.process.execPath, flags, { encoding: "utf8" });
    expect(Number(stdout)).toBeGreaterThan(5_000_000);
  });
});
