import { closeSync, constants, openSync, readSync } from "node:fs";
import { Socket } from "node:net";

export interface FifoReaderOptions {
  readonly fifo: string;
  /** Where reads go; may be shared, for each is dealt with before the next. */
  readonly buffer: Buffer;
  /** Gets a view of `buffer`, valid only during the call. */
  readonly onData: (chunk: Buffer) => void;
  readonly onError: (error: Error) => void;
}

/**
 * Reads a FIFO as it fills. It is opened for writing too, so that it neither ends nor loses its content when the app
 * and its launcher let go of it. libuv reads at most 32 times before it turns to the next FIFO, and a FIFO holds 64 KiB:
 * nobody starves the others.
 */
export class FifoReader {
  private readonly options: FifoReaderOptions;
  private readonly fd: number;
  private readonly socket: Socket;

  /** @throws when it can't be opened, ENOENT before its launcher has made it */
  constructor(options: FifoReaderOptions) {
    const { fifo, buffer, onData, onError } = options;
    this.options = options;
    this.fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const callback = (length: number): boolean => {
      onData(buffer.subarray(0, length));
      return true;
    };
    try {
      this.socket = new Socket({
        fd: this.fd,
        readable: true,
        writable: false,
        onread: { buffer, callback },
      });
    } catch (error) {
      // Something else lies where a FIFO should.
      closeSync(this.fd);
      throw error;
    }
    this.socket.on("error", onError);
  }

  /** Takes what is in the FIFO right now, `maxBytes` at most, give or take one read. */
  drain(maxBytes: number): void {
    const { buffer, onData } = this.options;
    for (let taken = 0; taken < maxBytes; ) {
      let length: number;
      try {
        length = readSync(this.fd, buffer, 0, buffer.length, null);
      } catch (error) {
        // Empty; anything else the socket meets too, and reports.
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") this.options.onError(error as Error);
        return;
      }
      if (length === 0) return;
      taken += length;
      onData(buffer.subarray(0, length));
    }
  }

  close(): void {
    this.socket.destroy();
  }
}
