import type { SqliteDatabase } from "../../platform/sqlite.ts";

interface Block {
  readonly identity: number;
  readonly alias: string;
  readonly block: number;
  readonly bits: Uint8Array;
  isStored: boolean;
  isDirty: boolean;
}

const secondsPerBlock = 1024;
/** How far a second value may move on (spec: gmq.md). */
export const reachS = 60;

/** Which seconds of each alias are taken in Murano, or will be by what is being uploaded (docs/queue.md). */
export class Seconds {
  private blocks = new Map<string, Block>();
  /** The one asked for last: a search goes through one second after another. */
  private last: Block | undefined;
  private readonly rememberedBlocks: number;
  private readonly statements;

  constructor(db: SqliteDatabase, rememberedBlocks: number) {
    this.rememberedBlocks = rememberedBlocks;
    this.statements = {
      get: db
        .prepare<[number, string, number], Buffer>(
          "SELECT bits FROM seconds WHERE identity = +? AND alias = +? AND block = +?",
        )
        .pluck(),
      insert: db.prepare("INSERT INTO seconds (identity, alias, block, bits) VALUES (?, ?, ?, ?)"),
      update: db.prepare("UPDATE seconds SET bits = ? WHERE identity = +? AND alias = +? AND block = +?"),
      forget: db.prepare("DELETE FROM seconds WHERE id <= +?"),
    };
  }

  /**
   * Takes the first free second from `from` on that is at most 60 s after `own`.
   * @returns undefined when there is none
   */
  allot(identity: number, alias: string, own: number, from = own): number | undefined {
    for (let second = from; second <= own + reachS; second++) {
      const block = this.blockOf(identity, alias, second);
      const index = byteIndex(second);
      const byte = block.bits[index] as number;
      if ((byte & bit(second)) !== 0) continue;
      block.bits[index] = byte | bit(second);
      block.isDirty = true;
      return second;
    }
    return undefined;
  }

  /** It is not in Murano after all. */
  free(identity: number, alias: string, second: number): void {
    const block = this.blockOf(identity, alias, second);
    const index = byteIndex(second);
    block.bits[index] = (block.bits[index] as number) & ~bit(second);
    block.isDirty = true;
  }

  /** Within the transaction that hands the seconds out. */
  save(): void {
    if (this.blocks.size === 0) return;
    let newest: number | bigint | undefined;
    for (const block of this.blocks.values()) {
      if (!block.isDirty) continue;
      const { identity, alias, block: number, bits } = block;
      if (block.isStored) this.statements.update.run(bits, identity, alias, number);
      else newest = this.statements.insert.run(identity, alias, number, bits).lastInsertRowid;
    }
    // Those of one commit are enough to keep in memory: the next batch mostly needs others.
    this.blocks = new Map();
    this.last = undefined;
    if (newest !== undefined) this.statements.forget.run(Number(newest) - this.rememberedBlocks);
  }

  private blockOf(identity: number, alias: string, second: number): Block {
    const block = Math.floor(second / secondsPerBlock);
    const { last } = this;
    if (last?.block === block && last.alias === alias && last.identity === identity) return last;
    const key = `${identity} ${block} ${alias}`;
    let found = this.blocks.get(key);
    if (found === undefined) {
      const bits = this.statements.get.get(identity, alias, block);
      found = {
        identity,
        alias,
        block,
        bits: bits ?? new Uint8Array(secondsPerBlock / 8),
        isStored: bits !== undefined,
        isDirty: false,
      };
      this.blocks.set(key, found);
    }
    this.last = found;
    return found;
  }
}

const byteIndex = (second: number): number => (second % secondsPerBlock) >> 3;
const bit = (second: number): number => 1 << (second % 8);
