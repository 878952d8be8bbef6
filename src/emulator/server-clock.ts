import type { Clock } from "../core/clock.ts";

/** The server's wall clock: the machine's, plus an offset that tests and demos may set. */
export class ServerClock {
  readonly #clock: Pick<Clock, "now">;
  #offsetS: number;
  #date = { second: -1, text: "" };

  constructor(clock: Pick<Clock, "now">, offsetS: number) {
    this.#clock = clock;
    this.#offsetS = offsetS;
  }

  get offsetS(): number {
    return this.#offsetS;
  }

  setOffset(seconds: number): void {
    this.#offsetS = seconds;
  }

  nowMs(): number {
    return this.#clock.now() + this.#offsetS * 1000;
  }

  /** Unix seconds, rounded down. */
  nowS(): number {
    return Math.floor(this.nowMs() / 1000);
  }

  /** Now, as the Date header has it. */
  httpDate(): string {
    const second = this.nowS();
    if (second !== this.#date.second) this.#date = { second, text: new Date(second * 1000).toUTCString() };
    return this.#date.text;
  }
}
