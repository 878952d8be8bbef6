/** What every error of the engine carries: a stable code to branch on, and fields that say what it was about. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** Facts for the log (alias, file, status …). Never a secret. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** Base of all errors thrown on purpose. Callers branch on the class or on `code`, never on `message`. */
export abstract class GweError extends Error {
  /** Stable, upper snake case; part of the public interface. */
  abstract readonly code: string;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.context = details.context ?? {};
  }
}

/** A state that the program's own logic excludes: a bug, to be reported as one. */
export class InvariantError extends GweError {
  readonly code = "INVARIANT";
}

/** Makes the compiler prove that a union was handled in full. */
export function unreachable(value: never): never {
  throw new InvariantError("unhandled case", { context: { value } });
}

/** Any thrown value as one line for a person: message, then the causes' messages. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current !== undefined && current !== null; depth++) {
    const text = current instanceof Error ? current.message || current.name : String(current);
    // Messages often end in their cause's: said once is enough.
    if (!parts.some((part) => part === text || part.endsWith(`: ${text}`))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(": ");
}
