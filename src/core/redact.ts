/** Replaces every occurrence of the given secrets in a text. Built anew when a secret changes. */
export type Redact = (text: string) => string;

export const redactedMark = "[redacted]";

/** @param secrets asked at every call, since a CIK may change while the engine runs; empty strings are ignored */
export function redactor(secrets: () => readonly string[]): Redact {
  return (text) => {
    let result = text;
    for (const secret of secrets()) {
      if (secret !== "") result = result.replaceAll(secret, redactedMark);
    }
    return result;
  };
}
