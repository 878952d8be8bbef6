import { CommandError } from "./errors.ts";
import type { Terminal } from "./terminal.ts";

export interface Question {
  readonly text: string;
  /** Taken when the answer is empty. */
  readonly proposal: string;
  /** What is wrong with an answer: it is asked again. */
  readonly fault: (answer: string) => string | undefined;
}

/** Questions on stderr and answers from stdin: at a terminal, or through a pipe. */
export class Dialogue {
  private readonly terminal: Terminal;
  /** What to tell whoever gives no answer. */
  private readonly withoutAnswers: string;
  private answers: AsyncGenerator<string, void> | undefined;

  constructor(terminal: Terminal, withoutAnswers: string) {
    this.terminal = terminal;
    this.withoutAnswers = withoutAnswers;
  }

  /** @throws CommandError when stdin ends before there is an answer */
  async ask({ text, proposal, fault }: Question): Promise<string> {
    for (;;) {
      const line = await this.line(proposal === "" ? `${text}: ` : `${text} [${proposal}]: `);
      const answer = line.trim() === "" ? proposal : line.trim();
      const wrong = fault(answer);
      if (wrong === undefined) return answer;
      this.terminal.note(wrong);
    }
  }

  async agrees(question: string): Promise<boolean> {
    return /^y(es)?$/i.test((await this.line(`${question} [y/N] `)).trim());
  }

  async end(): Promise<void> {
    await this.answers?.return();
  }

  private async line(question: string): Promise<string> {
    this.terminal.prompt(question);
    this.answers ??= this.terminal.lines();
    const next = await this.answers.next();
    if (next.done) {
      this.terminal.note("");
      throw new CommandError(`no answer; ${this.withoutAnswers}`);
    }
    return next.value;
  }
}
