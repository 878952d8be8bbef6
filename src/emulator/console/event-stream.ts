import { PassThrough, type Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";

/** A browser that reads more slowly than this much behind is cut off; it comes again and is given the whole state. */
const maxBehindBytes = 32 * 1024 * 1024;

/** One browser's server-sent events. */
export class EventStream {
  /** The response's body. */
  readonly body: Readable;
  readonly #input: PassThrough;
  /** Events that came while the state at the beginning was still being sent: they are newer than it. */
  #held: string[] | undefined = [];

  constructor(isCompressed: boolean) {
    this.#input = new PassThrough();
    // Flushed after each event: it must not wait for more to compress.
    this.body = isCompressed
      ? this.#input.pipe(createGzip({ level: 3, flush: constants.Z_SYNC_FLUSH }))
      : this.#input;
    this.body.once("close", () => this.#input.destroy());
  }

  get isClosed(): boolean {
    return this.body.destroyed;
  }

  onClose(listener: () => void): void {
    this.body.once("close", listener);
  }

  /** Part of the state at the beginning. */
  begin(event: string): void {
    this.#write(event);
  }

  /** The state at the beginning is complete. */
  begun(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#write(event);
  }

  send(event: string): void {
    if (this.#held) this.#held.push(event);
    else this.#write(event);
  }

  end(): void {
    this.#input.end();
  }

  #write(event: string): void {
    if (this.isClosed) return;
    this.#input.write(event);
    if (this.#input.writableLength > maxBehindBytes) this.body.destroy();
  }
}

/** An event as it goes over the wire. JSON has no raw line break, so it is one line of data. */
export function eventText(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Keeps proxies from taking a quiet connection for a dead one. */
export const keepAlive = ":\n\n";

/** Browsers wait three seconds by default. */
export const reconnectAfter = "retry: 1000\n\n";
