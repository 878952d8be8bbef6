import { QueueFullError } from "../errors.ts";
import type { AppendRequest, Series } from "../types.ts";
import type { Boots } from "./boots.ts";
import { ChunkBuilder, laneNumber, seriesBytes, stampNumber } from "./chunk.ts";
import type { ChunkTable } from "./chunk-table.ts";
import type { Frontier } from "./frontier.ts";
import type { Identities } from "./identities.ts";
import type { LaneCount, Ledger } from "./ledger.ts";
import type { Room } from "./room.ts";

export interface IntakeDependencies {
  readonly ledger: Ledger;
  readonly chunks: ChunkTable;
  readonly identities: Identities;
  readonly boots: Boots;
  readonly frontier: Frontier;
  readonly room: Room;
  readonly priorityOf: (alias: string) => number;
  /** Whether live writes of this identity go to the backlog. */
  readonly isUnreachable: (identity: number) => boolean;
}

interface OpenChunk {
  readonly lane: LaneCount;
  readonly stampedBy: number;
  builder: ChunkBuilder;
}

/** Turns the requests of one commit into as few chunks as there are lanes. */
export class Intake {
  private readonly parts: IntakeDependencies;
  private open = new Map<LaneCount, OpenChunk[]>();

  constructor(parts: IntakeDependencies) {
    this.parts = parts;
  }

  /** To be followed by `finish` in the same transaction. @throws QueueFullError, with nothing taken */
  take({ caller, lane, stampedBy, series }: AppendRequest): { identity: number; lane: number } {
    const { identities, room, priorityOf, isUnreachable } = this.parts;
    const identity = identities.find(caller)?.id ?? identities.register(caller).id;
    const isHeldBack = lane === "live" && isUnreachable(identity);
    const laneIndex = laneNumber(isHeldBack ? "backlog" : lane);
    const added = { entries: 0, bytes: 0 };
    for (const one of series) {
      added.entries += one.values.length;
      added.bytes += seriesBytes(one);
    }
    if (!room.has(identity, added)) {
      // What is in the making can give way like all else, once it is in the table.
      this.finish();
      room.make(identity, added, Math.min(...series.map(({ alias }) => priorityOf(alias))));
    }
    for (const one of series) {
      const bytes = series.length === 1 ? added.bytes : seriesBytes(one);
      this.put(identity, laneIndex, stampNumber(stampedBy), one, bytes);
      if (isHeldBack) this.noteFrontier(identity, one);
    }
    return { identity, lane: laneIndex };
  }

  /** An entry that was accepted before: limits don't hold it up. */
  takeBack(identity: number, series: Series): void {
    // Its time was put right when it was first taken: from now on it is as good as an app's own.
    this.put(identity, laneNumber("backlog"), stampNumber("app"), series, seriesBytes(series));
  }

  /** Writes what has been taken. */
  finish(): void {
    if (this.open.size === 0) return;
    for (const chunks of this.open.values()) {
      for (const chunk of chunks) this.write(chunk);
    }
    // V8 gives an old map that is cleared a new table among its old objects, which only a full collection frees.
    this.open = new Map();
  }

  private noteFrontier(identity: number, { alias, times }: Series): void {
    const { frontier, boots } = this.parts;
    const shiftMs = boots.stampShiftMs();
    for (const timeMs of times) frontier.note(identity, alias, Math.floor((timeMs + shiftMs) / 1000));
  }

  private put(identity: number, lane: number, stampedBy: number, series: Series, bytes: number): void {
    const { ledger, priorityOf } = this.parts;
    const count = ledger.lane(identity, lane, priorityOf(series.alias));
    ledger.enter(count, series.values.length, bytes);
    const chunk = this.openChunk(count, stampedBy);
    for (let next = chunk.builder.add(series, bytes, 0); next < series.values.length; ) {
      this.write(chunk);
      chunk.builder = new ChunkBuilder();
      next = chunk.builder.add(series, bytes, next);
    }
  }

  private openChunk(lane: LaneCount, stampedBy: number): OpenChunk {
    const chunks = this.open.get(lane);
    let chunk = chunks?.find((one) => one.stampedBy === stampedBy);
    if (chunk === undefined) {
      chunk = { lane, stampedBy, builder: new ChunkBuilder() };
      if (chunks === undefined) this.open.set(lane, [chunk]);
      else chunks.push(chunk);
    }
    return chunk;
  }

  private write({ lane, stampedBy, builder }: OpenChunk): void {
    if (builder.entries === 0) return;
    const { chunks, boots } = this.parts;
    chunks.append(lane, {
      stampedBy,
      boot: boots.current,
      ...boots.now(),
      entries: builder.entries,
      bytes: builder.bytes,
      payload: builder.payload(),
    });
  }
}

/** Refused alone, while the requests beside it are taken. */
export function isRefusal(error: unknown): error is QueueFullError {
  return error instanceof QueueFullError;
}
