import { dirname } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { DurableFiles } from "../../platform/durable-files.ts";
import type { GrowingFile } from "../../platform/growing-file.ts";
import type { CheckpointLimits } from "../limits.ts";
import { ChunkDigests } from "./chunk-digests.ts";
import {
  type ContentVersion,
  chunkBytesFor,
  encodeState,
  isSameVersion,
  maxStateBytes,
  parseState,
} from "./partial-state.ts";
import { verifiedPrefix } from "./verified-prefix.ts";

/** The files of one package: where it will lie once it is whole, where it grows, and what is known of its growth. */
export interface PackageFiles {
  readonly whole: string;
  readonly partial: string;
  readonly state: string;
}

export function packageFiles(whole: string): PackageFiles {
  return { whole, partial: `${whole}.partial`, state: `${whole}.partial.json` };
}

const flushBytes = 8 * 1024 * 1024;

export interface PartialFileOptions {
  readonly files: DurableFiles;
  readonly clock: Clock;
  readonly checkpoint: CheckpointLimits;
  /** Where the package will lie. */
  readonly whole: string;
  readonly version: ContentVersion;
  readonly signal: AbortSignal;
}

/**
 * A package that grows on disk. Every now and then what is held is synced and then described in the side file, so
 * that after a power cut everything that the side file claims is there; what came later is cut off and fetched again.
 */
export class PartialFile {
  readonly #options: PartialFileOptions;
  readonly #paths: PackageFiles;
  readonly #file: GrowingFile;
  #version: ContentVersion;
  #digests: ChunkDigests;
  #durableBytes: number;
  #checkpointAt: number;
  /** A write failed: the digests speak of bytes that are not in the file. */
  #isBroken = false;
  /** Bytes that were handed to the disk, ahead of the next checkpoint or the end. */
  #flushedBytes: number;
  #flush: Promise<void> | undefined;

  private constructor(options: PartialFileOptions, file: GrowingFile, digests: ChunkDigests) {
    this.#options = options;
    this.#paths = packageFiles(options.whole);
    this.#file = file;
    this.#version = options.version;
    this.#digests = digests;
    this.#durableBytes = digests.bytes;
    this.#flushedBytes = digests.bytes;
    this.#checkpointAt = options.clock.monotonic();
  }

  /** Goes on with what an earlier run left of the same version, or begins anew. */
  static async open(options: PartialFileOptions): Promise<PartialFile> {
    const { files, whole, version, signal } = options;
    const paths = packageFiles(whole);
    files.ensureDirectory(dirname(whole));
    // Left by a crash between the renaming of the whole package and the journal's note of it.
    const isUnnoted =
      (await files.sizeOf(paths.partial)) === undefined && (await files.sizeOf(whole)) !== undefined;
    if (isUnnoted) await files.move(whole, paths.partial);
    const file = await files.openGrowing(paths.partial);
    try {
      const claim = parseState((await files.readText(paths.state, maxStateBytes)) ?? "");
      const digests =
        claim !== undefined && isSameVersion(claim, version)
          ? await verifiedPrefix(file, claim, signal)
          : new ChunkDigests(chunkBytesFor(version.sizeBytes));
      if (file.sizeBytes > digests.bytes) await file.truncate(digests.bytes);
      return new PartialFile(options, file, digests);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Removes what there is of a package that is not whole yet. */
  static async discard(files: DurableFiles, whole: string): Promise<void> {
    const { partial, state } = packageFiles(whole);
    await files.remove(partial);
    await files.remove(state);
  }

  get heldBytes(): number {
    return this.#digests.bytes;
  }

  /** SHA-256 of what is held, in hex. */
  get sha256(): string {
    return this.#digests.whole();
  }

  isOf(version: ContentVersion): boolean {
    return isSameVersion(this.#version, version);
  }

  async append(chunk: Uint8Array): Promise<void> {
    const written = this.#file.append(chunk);
    // On another processor meanwhile.
    this.#digests.update(chunk);
    try {
      await written;
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
    this.#flushIfDue();
    await this.checkpointIfDue();
  }

  /** Lets the disk write while more comes in, so that nobody waits for all of it at the end. */
  #flushIfDue(): void {
    if (this.#flush !== undefined || this.heldBytes - this.#flushedBytes < flushBytes) return;
    this.#flushedBytes = this.heldBytes;
    const flush = this.#file.sync();
    this.#flush = flush;
    flush.then(
      () => {
        if (this.#flush === flush) this.#flush = undefined;
      },
      // A disk reports an error only once: it is kept, and thrown by the next sync.
      () => undefined,
    );
  }

  async #sync(): Promise<void> {
    try {
      await this.#flush;
      await this.#file.sync();
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
    this.#flush = undefined;
    this.#flushedBytes = this.heldBytes;
  }

  /** @param withinMs how long nothing will come in from now on */
  async checkpointIfDue(withinMs = 0): Promise<void> {
    const { bytes, minIntervalMs, maxIntervalMs } = this.#options.checkpoint;
    const newBytes = this.heldBytes - this.#durableBytes;
    const elapsedMs = this.#options.clock.monotonic() - this.#checkpointAt;
    const isDue =
      (newBytes >= bytes && elapsedMs >= minIntervalMs) ||
      (newBytes > 0 && elapsedMs + withinMs >= maxIntervalMs);
    if (isDue) await this.checkpoint();
  }

  /** Makes what is held durable. The order matters: the side file must never claim what is not on disk. */
  async checkpoint(): Promise<void> {
    const { bytes: heldBytes, chunkBytes } = this.#digests;
    if (heldBytes === this.#durableBytes || this.#isBroken) return;
    await this.#sync();
    const state = { ...this.#version, heldBytes, chunkBytes, digests: this.#digests.list() };
    await this.#options.files.replace(this.#paths.state, encodeState(state));
    this.#durableBytes = heldBytes;
    this.#checkpointAt = this.#options.clock.monotonic();
  }

  /** Drops what is held. */
  async startOver(version: ContentVersion): Promise<void> {
    await this.#options.files.remove(this.#paths.state);
    await this.#file.truncate(0);
    this.#flushedBytes = 0;
    this.#version = version;
    this.#digests = new ChunkDigests(chunkBytesFor(version.sizeBytes));
    this.#durableBytes = 0;
    this.#checkpointAt = this.#options.clock.monotonic();
  }

  /** The package is whole: it is synced and appears under its name. */
  async finish(): Promise<void> {
    const { files } = this.#options;
    await this.#sync();
    await files.move(this.#paths.partial, this.#paths.whole);
    await files.remove(this.#paths.state);
    this.#durableBytes = this.heldBytes;
  }

  async close(): Promise<void> {
    await this.#flush?.catch(() => undefined);
    await this.#file.close();
  }
}
