import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CommandError } from "../../../src/cli/errors.ts";
import { followLog, showTail } from "../../../src/cli/log-tail.ts";

let directory: string;
let log: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "gwe-logs-"));
  log = join(directory, "app.log");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

class Sink {
  private readonly chunks: Buffer[] = [];
  readonly write = async (data: Uint8Array): Promise<void> => {
    this.chunks.push(Buffer.from(data));
  };
  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

describe("showTail", () => {
  const tail = async (content: string | Buffer, lines: number): Promise<Buffer> => {
    writeFileSync(log, content);
    const sink = new Sink();
    expect(await showTail(log, lines, sink.write)).toBe(true);
    return sink.bytes;
  };

  it.each([
    ["a\nb\nc\n", 2, "b\nc\n"],
    ["a\nb\nc", 2, "b\nc"],
    ["a\nb\n", 9, "a\nb\n"],
    ["\n\n\n", 2, "\n\n"],
    ["a\n", 0, ""],
    ["", 5, ""],
  ])("%j, last %i lines", async (content, lines, expected) => {
    expect((await tail(content, lines)).toString()).toBe(expected);
  });

  it("goes back over rotations for what the file lacks", async () => {
    writeFileSync(`${log}.2`, "1\n2\n3\n");
    writeFileSync(`${log}.1`, "4\n5\n");
    expect((await tail("6\n", 4)).toString()).toBe("3\n4\n5\n6\n");
    expect((await tail("", 3)).toString()).toBe("3\n4\n5\n");
    expect((await tail("6\n7\n", 2)).toString()).toBe("6\n7\n");
    expect((await tail("6\n", 99)).toString()).toBe("1\n2\n3\n4\n5\n6\n");
  });

  it("gives the very bytes, over block borders", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(100_000), { maxLength: 6 }),
        fc.integer({ min: 1, max: 8 }),
        async (lengths, lines) => {
          const all = lengths.map((length, index) => Buffer.alloc(length + 1, 128 + index).fill(10, length));
          const expected = Buffer.concat(all.slice(-lines));
          expect((await tail(Buffer.concat(all), lines)).equals(expected)).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  it("says when there is no file, and why it cannot be read", async () => {
    expect(await showTail(log, 5, new Sink().write)).toBe(false);
    await expect(showTail(join(directory, "x".repeat(300)), 5, new Sink().write)).rejects.toThrow(
      CommandError,
    );
  });
});

describe("followLog", () => {
  /** Each step runs between two looks at the file; after the last one following ends. */
  async function follow(lines: number, steps: readonly (() => void)[]): Promise<string> {
    const sink = new Sink();
    const rest = [...steps, () => undefined];
    const wait = async (): Promise<void> => {
      const step = rest.shift();
      if (step === undefined) throw new CommandError("end of the test");
      step();
    };
    const onGap = (): void => void sink.write(Buffer.from("(gap)\n"));
    const following = followLog({ file: log, begin: { lines }, write: sink.write, wait, onGap });
    await expect(following).rejects.toThrow("end of the test");
    return sink.bytes.toString();
  }

  it("shows what is appended", async () => {
    writeFileSync(log, "1\n2\n");
    expect(await follow(1, [() => appendFileSync(log, "3\n"), () => appendFileSync(log, "4")])).toBe(
      "2\n3\n4",
    );
  });

  it("waits for a file that is not there yet", async () => {
    expect(await follow(1, [() => undefined, () => writeFileSync(log, "first\nsecond\n")])).toBe(
      "first\nsecond\n",
    );
  });

  it("shows the rest of a rotated file before the new one", async () => {
    writeFileSync(log, "1\n");
    const rotate = (): void => {
      appendFileSync(log, "2\n");
      renameSync(log, `${log}.1`);
      writeFileSync(log, "3\n");
    };
    expect(await follow(5, [rotate, () => appendFileSync(log, "4\n")])).toBe("1\n2\n3\n4\n");
  });

  /** As the log daemon does it. */
  function rotate(backups: number, content: string): void {
    for (let number = backups - 1; number >= 0; number--) {
      const from = number === 0 ? log : `${log}.${number}`;
      if (existsSync(from)) renameSync(from, `${log}.${number + 1}`);
    }
    writeFileSync(log, content);
  }

  it("shows every file of several rotations between two looks, in their order", async () => {
    writeFileSync(log, "1\n");
    const steps = [
      () => {
        appendFileSync(log, "2\n");
        for (const content of ["3\n", "4\n", "5\n"]) rotate(3, content);
      },
      () => rotate(3, "6\n"),
    ];
    expect(await follow(5, steps)).toBe("1\n2\n3\n4\n5\n6\n");
  });

  it("says so when a file was dropped before it could be shown", async () => {
    writeFileSync(log, "1\n");
    const steps = [
      () => {
        for (const content of ["2\n", "3\n", "4\n"]) rotate(1, content);
      },
    ];
    expect(await follow(5, steps)).toBe("1\n(gap)\n3\n4\n");
  });

  it("does not show older backups again when somebody removes the file", async () => {
    writeFileSync(`${log}.1`, "0\n");
    utimesSync(`${log}.1`, 1_000_000, 1_000_000);
    writeFileSync(log, "1\n");
    const replace = (): void => {
      rmSync(log);
      writeFileSync(log, "2\n");
    };
    expect(await follow(1, [replace])).toBe("1\n2\n");
  });

  it("begins anew after a truncation and outlives a missing file", async () => {
    writeFileSync(log, "long line\n");
    const steps = [
      () => truncateSync(log, 0),
      () => appendFileSync(log, "a\n"),
      () => rmSync(log),
      () => writeFileSync(log, "b\n"),
    ];
    expect(await follow(5, steps)).toBe("long line\na\nb\n");
  });
});
