import type { StorageDevice } from "./facts.ts";

/** What a block device's attributes in sysfs say; undefined where there is no such file. */
export interface StorageAttributes {
  readonly name: string;
  /** In sectors of 512 bytes, whatever the device's own are. */
  readonly size: string | undefined;
  readonly model: string | undefined;
  /** eMMC (JEDEC 5.0 and newer): two estimates, for both kinds of cells, in tenths of the life: `0x02 0x01`. */
  readonly lifeTime: string | undefined;
  readonly preEolInfo: string | undefined;
}

const reserves = { 1: "normal", 2: "warning", 3: "urgent" } as const;

export function parseStorage(attributes: StorageAttributes): StorageDevice {
  const estimates = (attributes.lifeTime ?? "").trim().split(/\s+/).map(Number);
  // 0: not defined; 0x0b: beyond the guaranteed life.
  const worst = Math.max(0, ...estimates.filter((value) => value > 0 && value <= 0x0b));
  const reserve = Number((attributes.preEolInfo ?? "").trim() || 0);
  return {
    name: attributes.name,
    model: (attributes.model ?? "").trim(),
    sizeBytes: Number(attributes.size ?? 0) * 512,
    wornPercent: worst === 0 ? null : worst * 10,
    reserve: reserve in reserves ? reserves[reserve as keyof typeof reserves] : null,
  };
}

/** Whether a block device is one that holds a file system for long: no loop device, no RAM disk, nothing
 * optical, no raw flash (its file systems say what is in it). */
export function isStorage(name: string): boolean {
  return !/^(loop|ram|zram|sr|fd|nbd|mtdblock|dm-|md)|boot\d+$|rpmb$/.test(name);
}
