import { describeError } from "../core/errors.ts";

interface Ending {
  readonly what: string;
  readonly end: () => void | Promise<void>;
}

/** What has been started and must be ended, in the opposite order, whatever happens to each. */
export class Endings {
  private readonly endings: Ending[] = [];

  add(what: string, end: () => void | Promise<void>): void {
    this.endings.push({ what, end });
  }

  /** Never rejects: an ending that fails is told on stderr, for the log may be closed by then, and the rest go on. */
  async run(): Promise<void> {
    for (let ending = this.endings.pop(); ending !== undefined; ending = this.endings.pop()) {
      try {
        await ending.end();
      } catch (error) {
        process.stderr.write(`gwe: ${ending.what} could not be ended: ${describeError(error)}\n`);
      }
    }
  }
}
