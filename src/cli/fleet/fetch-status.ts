import * as z from "zod/mini";

const text = z.catch(z.string(), "");

const schema = z.object({
  id: z.catch(z.pipe(z.union([z.string(), z.number()]), z.transform(String)), ""),
  apps: z.catch(z.array(z.object({ name: text, version: text, status: text, output: text })), []),
  error: z.catch(z.optional(z.string()), undefined),
});

/** How a command ended, as `fetch_status` tells it. */
export interface CommandEnd {
  readonly id: string;
  readonly state: "succeeded" | "failed" | "rolled-back";
  readonly detail: string;
}

const failures = new Set(["failed", "interrupted", "cancelled", "rolled-back"]);

/**
 * Reads a value of `fetch_status`; undefined for one that is no JSON, which is told by no id.
 *
 * @param askedBack apps that the command itself asks to roll back: there the word means success
 */
export function parseCommandEnd(value: string, askedBack: readonly string[] = []): CommandEnd | undefined {
  const parsed = schema.safeParse(parseJson(value));
  if (!parsed.success) return undefined;
  const { id, apps, error } = parsed.data;
  const failed = apps.filter(
    ({ name, status }) => failures.has(status) && !(status === "rolled-back" && askedBack.includes(name)),
  );
  const shown = failed.length > 0 ? failed : apps;
  const words = shown.map(({ name, version, status }) =>
    [name, version, status].filter((word) => word !== "").join(" "),
  );
  if (failed.length > 0) {
    const why = failed
      .map(({ output }) => output.trimEnd().split("\n").at(-1) ?? "")
      .find((line) => line !== "");
    const isBack = failed.every(({ status }) => status === "rolled-back");
    const detail = words.join(", ") + (why === undefined ? "" : `: ${why.slice(0, 200)}`);
    return { id, state: isBack ? "rolled-back" : "failed", detail };
  }
  if (error !== undefined) return { id, state: "failed", detail: error };
  return { id, state: "succeeded", detail: words.join(", ") };
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
