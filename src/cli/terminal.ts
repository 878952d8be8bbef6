import { maskCiks } from "../core/cik.ts";
import { describeError, GweError } from "../core/errors.ts";
import { exitStatusOf } from "./exit-status.ts";

/** What a command sees of the process that runs it. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a person watches stderr. */
  readonly isTty: boolean;
  /** Resolves when the reader has taken it, so that a slow one costs no memory. */
  write(data: string | Uint8Array): Promise<void>;
  /** One line on stderr. */
  note(line: string): void;
  /** Text on stderr after which the cursor stays: a question, a progress bar. */
  prompt(text: string): void;
  /** Width of stderr, where that is a terminal. */
  readonly columns: number | undefined;
  readStdin(): Promise<string>;
  /** stdin line by line. To be ended (`return`) when no more is wanted. */
  lines(): AsyncGenerator<string, void>;
}

const processTerminal: Terminal = {
  env: process.env,
  isTty: process.stderr.isTTY === true,
  write: (data) =>
    new Promise((resolve, reject) => {
      process.stdout.write(data, (error) => (error ? reject(error) : resolve()));
    }),
  note: (line) => {
    process.stderr.write(`${line}\n`);
  },
  prompt: (text) => {
    process.stderr.write(text);
  },
  get columns() {
    return process.stderr.isTTY ? process.stderr.columns || 80 : undefined;
  },
  readStdin: async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks).toString("utf8");
  },
  lines: async function* () {
    const { createInterface } = await import("node:readline");
    const reader = createInterface({ input: process.stdin });
    try {
      yield* reader;
    } finally {
      reader.close();
    }
  },
};

/**
 * Runs a command as this process: errors become one line on stderr and an exit status. `hintFor` may add to that
 * line what to do about one.
 */
export async function runAsProcess(
  name: string,
  command: (argv: readonly string[], terminal: Terminal) => Promise<number>,
  hintFor: (error: unknown) => string | undefined = () => undefined,
): Promise<void> {
  // `gwe logs app | head`: when the reader has gone there is nothing left to do and nobody to tell.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    processTerminal.note(`${name}: cannot write the output (${error.code})`);
    process.exit(1);
  });
  const argv = process.argv.slice(2);
  try {
    process.exitCode = await command(argv, processTerminal);
  } catch (error) {
    // A CIK in the wrong place of a command line would come back in the message.
    const hint = hintFor(error);
    const advice = hint === undefined ? "" : `; ${hint}`;
    processTerminal.note(`${name}: ${maskCiks(printable(describeError(error)))}${advice}`);
    // Only a bug has no class of ours; its place in the code is what a bug report needs.
    if (!(error instanceof GweError) && error instanceof Error) processTerminal.note(error.stack ?? "");
    process.exitCode = exitStatusOf(error);
  }
}

/** Text of others (apps, servers) must not steer a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "\ufffd").replace(/[\n\t]/g, " ");
}
