import { chmodSync, chownSync, linkSync, lutimesSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What an app's directory holds. */
export type AppFile =
  | { readonly content: string | Uint8Array; readonly executable?: boolean }
  | { readonly link: string }
  | "directory";

export type AppTree = Readonly<Record<string, AppFile>>;

/** How a checkout may differ from another of the same commit. */
export interface Checkout {
  readonly reversed?: boolean;
  readonly modifiedS?: number;
  readonly group?: "writable" | "shut out";
  readonly owner?: number;
  /** Stores files of the same content as hard links. */
  readonly hardLinks?: boolean;
}

/** Writes a tree as one particular checkout. */
export function writeTree(directory: string, tree: AppTree, checkout: Checkout = {}): void {
  const { reversed = false, modifiedS = 1_700_000_000, group = "writable", owner, hardLinks } = checkout;
  const bits = group === "writable" ? 0o066 : 0;
  const entries = Object.entries(tree);
  const written = new Map<string, string>();
  mkdirSync(directory, { recursive: true });
  for (const [path, file] of reversed ? entries.reverse() : entries) {
    const full = join(directory, path);
    mkdirSync(file === "directory" ? full : dirname(full), { recursive: true });
    if (file === "directory") continue;
    if ("link" in file) {
      symlinkSync(file.link, full);
    } else {
      const key = `${file.executable ?? false}:${Buffer.from(file.content).toString("hex")}`;
      const twin = written.get(key);
      if (hardLinks && twin !== undefined) linkSync(twin, full);
      else writeFileSync(full, file.content);
      written.set(key, full);
      chmodSync(full, (file.executable ? 0o711 : 0o600) | bits);
      if (owner !== undefined && process.getuid?.() === 0) chownSync(full, owner, owner);
    }
    lutimesSync(full, modifiedS, modifiedS);
  }
}

/** The smallest app that a gateway takes. */
export const smallApp: AppTree = {
  "install.sh": { content: "#!/bin/sh\necho installed\n", executable: true },
};
