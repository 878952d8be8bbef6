import { createHash } from "node:crypto";
import type { Caller, Series } from "../../../src/queue/types.ts";
import type { Dice } from "../random.ts";

export const callers: readonly Caller[] = [
  { kind: "vms", vendor: "acme", model: "acme", sn: "meter-1" },
  { kind: "vms", vendor: "acme", model: "acme", sn: "meter-2" },
  { kind: "cik", cik: "c".repeat(40) },
];

const aliases = ["temperature", "pressure"] as const;
const epochMs = 1_700_000_000_000;

/** `<id> <digest> <padding>`: says itself whether it is whole. */
export function valueFor(id: string, padding: string): string {
  return `${id} ${digest(id + padding)} ${padding}`;
}

/** @returns undefined for a value that is not as it was handed in */
export function idIn(value: string): string | undefined {
  const [id = "", sum = "", ...rest] = value.split(" ");
  const padding = rest.join(" ");
  return digest(id + padding) === sum ? id : undefined;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}

export interface Written {
  readonly ids: readonly string[];
  readonly series: Series;
}

/** Small mostly, sometimes as large as a value may be, sometimes what forms have trouble with. */
function paddingOf(dice: Dice): string {
  if (dice.chance(0.1)) return "a&b=c%41+d\n é 漢";
  return dice.text(dice.chance(0.02) ? 60_000 : dice.between(0, 300));
}

/** One request's points of one alias: mostly one, sometimes many. */
export function seriesOf(name: string, firstPoint: number, dice: Dice): Written {
  const count = dice.chance(0.8) ? 1 : dice.between(2, 30);
  const ids = Array.from({ length: count }, (_, index) => `${name}.${index}`);
  return {
    ids,
    series: {
      alias: dice.pick(aliases),
      // A few share their second with the point before, which moves them.
      times: ids.map((_, index) => epochMs + (firstPoint + index) * 3_000 - (dice.chance(0.1) ? 3_000 : 0)),
      values: ids.map((id) => valueFor(id, paddingOf(dice))),
    },
  };
}
