import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { goodSupervisorConf, type RawMember, rawPackage } from "../../support/ota-archives.ts";
import { Dice } from "../random.ts";

export const app = "meter";

export function packageName(number: number): string {
  return `${app}.v${number}.tar.gz`;
}

export function command(number: number): { readonly text: string; readonly serverTimestamp: number } {
  return {
    text: JSON.stringify({ install: [{ name: packageName(number) }] }),
    serverTimestamp: 1_700_000_000 + number,
  };
}

/** Different in every version: some larger files, some small ones, directories. */
function members(number: number): readonly RawMember[] {
  const dice = new Dice("package", number);
  const data = Array.from({ length: 8 }, (_, index) => ({
    name: `${index < 4 ? "" : `part${index % 2}/`}data${index}`,
    content: dice.text(dice.pick([0, 200, 5_000, 30_000])),
  }));
  return [
    { name: "install.sh", mode: 0o755, content: `#!/bin/sh\necho installing ${number}\n` },
    goodSupervisorConf,
    ...data,
  ];
}

export function packageOf(number: number): Buffer {
  return rawPackage(members(number));
}

/** What of a version's files is not as it was packed; undefined when all of it is. */
export function damageOf(directory: string, number: number): string | undefined {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return "it is not there";
  }
  for (const { name, content = "" } of members(number)) {
    let present: Buffer;
    try {
      present = readFileSync(join(directory, name));
    } catch (error) {
      return `${name}: ${(error as NodeJS.ErrnoException).code} (there are ${names.join(", ")})`;
    }
    if (!present.equals(Buffer.from(content))) {
      const digest = createHash("sha256").update(present).digest("hex").slice(0, 8);
      return `${name}: ${present.length} bytes (${digest}) instead of ${content.length}`;
    }
  }
  return undefined;
}
