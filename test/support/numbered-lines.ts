const filler = "abcdefghijklmnopqrstuvwxyz".repeat(12);

/** Lines of many lengths, each of which tells its number, and what is missing of it. */
export function numberedLine(number: number): string {
  return `${number}:${filler.slice(0, (number * 31) % 293)}\n`;
}

/** What is wrong with a stream of numbered lines that should go on from a number. */
export class NumberedLinesCheck {
  next = 0;
  private rest = "";

  /** @throws at the first line that is lost, doubled, out of order or torn */
  push(text: string): void {
    const lines = (this.rest + text).split("\n");
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (`${line}\n` !== numberedLine(this.next)) {
        throw new Error(`expected ${JSON.stringify(numberedLine(this.next))}, found ${JSON.stringify(line)}`);
      }
      this.next++;
    }
  }

  get isAtLineEnd(): boolean {
    return this.rest === "";
  }
}
