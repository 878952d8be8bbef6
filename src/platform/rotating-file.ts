import { closeSync, fchmodSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";

export interface RotatingFileOptions {
  readonly file: string;
  /** Beyond this the file becomes `<file>.1`, in place of an older one. */
  readonly maxBytes: number;
  readonly mode: number;
}

/**
 * A log file of bounded size. A line is with the kernel when `append` returns: it is not lost when the process ends,
 * in whatever way. Never throws: a log that cannot be written must not end what it tells of; how many lines are
 * missing is told in the file as soon as it takes some again.
 */
export class RotatingFile {
  private readonly options: RotatingFileOptions;
  private fd: number | undefined;
  private size = 0;
  private missing = 0;

  constructor(options: RotatingFileOptions) {
    this.options = options;
  }

  append(line: string): void {
    try {
      if (this.missing > 0) {
        this.write(`${this.missing} lines could not be written here\n`);
        this.missing = 0;
      }
      this.write(`${line}\n`);
    } catch {
      this.missing += 1;
      this.close();
    }
  }

  /** The next `append` opens it again. */
  close(): void {
    if (this.fd === undefined) return;
    const { fd } = this;
    this.fd = undefined;
    try {
      closeSync(fd);
    } catch {
      // Its content was handed over line by line.
    }
  }

  private write(text: string): void {
    const { file, maxBytes } = this.options;
    const bytes = Buffer.from(text);
    let fd = this.fd ?? this.open();
    if (this.size > 0 && this.size + bytes.length > maxBytes) {
      this.close();
      renameSync(file, `${file}.1`);
      fd = this.open();
    }
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(fd, bytes, written);
      written += count;
      this.size += count;
    }
  }

  private open(): number {
    const { file, mode } = this.options;
    const fd = openSync(file, "a", mode);
    this.fd = fd;
    const stats = fstatSync(fd);
    this.size = stats.size;
    // Whatever the process' mask says, and whoever made the file.
    if (stats.isFile() && (stats.mode & 0o777) !== mode) fchmodSync(fd, mode);
    return fd;
  }
}
