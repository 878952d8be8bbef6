import type { UploadStats } from "../types.ts";

/** Counts what is uploaded, since the daemon started. */
export class UploadCounter implements UploadStats {
  readonly requests = new Map<string, number>();
  entries = 0;
  bytes = 0;
  /** Whether Murano answered the last request of all. */
  isOnline = false;

  /** One request to Murano and its result: a status, or what went wrong. */
  request(result: string): void {
    this.requests.set(result, (this.requests.get(result) ?? 0) + 1);
  }

  delivered(entries: number, bytes: number): void {
    this.entries += entries;
    this.bytes += bytes;
  }
}
