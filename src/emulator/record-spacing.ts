import type { Point } from "./store/types.ts";

/** A point to record, as a request names it: its time may have fractions. */
export interface RawPoint {
  /** As it was sent, for the answer that refuses it. */
  readonly text: string;
  /** Unix seconds. */
  readonly ts: number;
  readonly value: Buffer;
}

/**
 * Of points less than a second apart in one request the first is kept and the others are refused; kept ones get whole
 * seconds, rounded down (spec: device-api.md, "Record").
 */
export function spacePoints(points: readonly RawPoint[]): { kept: Point[]; refused: string[] } {
  const kept = new Map<number, RawPoint>();
  const refused: string[] = [];
  for (const point of points) {
    const second = Math.floor(point.ts);
    const neighbours = [kept.get(second - 1), kept.get(second), kept.get(second + 1)];
    if (neighbours.some((other) => other && Math.abs(other.ts - point.ts) < 1)) refused.push(point.text);
    else kept.set(second, point);
  }
  return { kept: Array.from(kept, ([ts, { value }]) => ({ ts, value })), refused };
}
