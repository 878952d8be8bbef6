const pattern = /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,99}$/;

export const modelNameRule = "1 to 100 letters, digits, '_', '.', ':', '@' or '-'";

/** Whether a model, vendor, group or token may be called so: it has to fit a path. */
export function isModelName(name: string): boolean {
  return pattern.test(name);
}
