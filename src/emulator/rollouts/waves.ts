import { createHash } from "node:crypto";

/** One step of a roll-out: how much of the whole it reaches, those of the waves before it included. */
export type WaveSize = { readonly percent: number } | { readonly count: number };

/** Reads `10%` or `25`; undefined for anything else. */
export function parseWaveSize(text: string): WaveSize | undefined {
  const share = /^(\d{1,3}(?:\.\d{1,3})?)\s*%$/.exec(text.trim())?.[1];
  if (share !== undefined) return isShare(Number(share)) ? { percent: Number(share) } : undefined;
  return /^[1-9]\d{0,8}$/.test(text.trim()) ? { count: Number(text) } : undefined;
}

function isShare(percent: number): boolean {
  return percent > 0 && percent <= 100;
}

/**
 * How many gateways each wave has, of `total`. A share is rounded up; a wave that adds nobody to those before it is
 * left out, so that a small fleet has fewer waves.
 */
export function waveSizes(waves: readonly WaveSize[], total: number): number[] {
  const sizes: number[] = [];
  let reached = 0;
  for (const wave of waves) {
    const wanted = "count" in wave ? wave.count : Math.ceil((total * wave.percent) / 100 - 1e-9);
    const end = Math.min(total, wanted);
    if (end <= reached) continue;
    sizes.push(end - reached);
    reached = end;
  }
  return sizes;
}

/**
 * The order in which a roll-out goes through its gateways: by chance, so that a small wave is a sample of the whole,
 * and another one for each roll-out, so that it is not always the same gateways that go first.
 */
export function inRolloutOrder<T extends { readonly rid: string }>(
  rolloutId: string,
  gateways: readonly T[],
): T[] {
  const place = (rid: string) => createHash("sha256").update(`${rolloutId}/${rid}`).digest("hex");
  return gateways
    .map((gateway) => ({ gateway, place: place(gateway.rid) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ gateway }) => gateway);
}
