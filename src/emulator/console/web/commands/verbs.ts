import type { Gateway } from "../../../fleet/gateway.ts";

/** What an operator can have done to apps that are there, as `engine_fetch` names it. */
export const verbs: readonly {
  readonly verb: string;
  readonly label: string;
  readonly isDangerous?: boolean;
}[] = [
  { verb: "restart", label: "Restart" },
  { verb: "stop", label: "Stop" },
  { verb: "start", label: "Start" },
  { verb: "rollback", label: "Roll back", isDangerous: true },
  { verb: "remove", label: "Remove", isDangerous: true },
];

export function appsOf(gateways: readonly Gateway[]): readonly string[] {
  return [...new Set(gateways.flatMap(({ apps }) => apps.map(({ name }) => name)))].sort();
}

/** A command in a few words: `install meter 1.3`, `restart meter`. */
export function describeCommand(command: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(command).map(([verb, value]) => {
    if (Array.isArray(value)) return `${verb} ${value.map(entryName).join(", ")}`;
    if (typeof value === "object" && value !== null) return `${verb} ${JSON.stringify(value)}`;
    return value === true ? verb : `${verb} ${String(value)}`;
  });
  return parts.join("; ");
}

function entryName(entry: unknown): string {
  if (typeof entry === "string") return entry;
  const { name, app } = entry as { name?: unknown; app?: unknown };
  const text = String(name ?? app ?? JSON.stringify(entry));
  return text.replace(/^(.*)\.v([^/]*)\.tar\.gz$/, "$1 $2");
}
