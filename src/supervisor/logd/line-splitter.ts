const lineFeed = 0x0a;

/** Cuts a stream into lines for syslog, which takes nothing else; longer ones in pieces. */
export class LineSplitter {
  private readonly maxBytes: number;
  private held = Buffer.alloc(0);

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The lines, or pieces of one, that are whole with this chunk; without their line feeds. Empty lines are left out. */
  push(chunk: Uint8Array): readonly Buffer[] {
    const all = this.held.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.held, chunk]);
    const lines: Buffer[] = [];
    let start = 0;
    for (;;) {
      const end = all.indexOf(lineFeed, start);
      if (end < 0) break;
      lines.push(...this.pieces(all.subarray(start, end)));
      start = end + 1;
    }
    let rest = all.subarray(start);
    for (; rest.length > this.maxBytes; rest = rest.subarray(this.maxBytes))
      lines.push(rest.subarray(0, this.maxBytes));
    this.held = Buffer.from(rest);
    return lines;
  }

  /** What is left of a last line that has no end. */
  end(): readonly Buffer[] {
    const lines = this.pieces(this.held);
    this.held = Buffer.alloc(0);
    return lines;
  }

  private pieces(line: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    for (let at = 0; at < line.length; at += this.maxBytes)
      pieces.push(line.subarray(at, at + this.maxBytes));
    return pieces;
  }
}
