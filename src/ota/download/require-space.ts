import { dirname } from "node:path";
import type { DurableFiles } from "../../platform/durable-files.ts";
import { StepFailure } from "../errors.ts";
import type { OtaLimits } from "../limits.ts";

/**
 * Makes sure that the rest of a package has room, and what it is likely to unpack to, beside the reserve. Whether it
 * unpacks to more shows while unpacking, which stops at the reserve too: this is to spare a download in vain.
 *
 * @throws StepFailure when it has not
 */
export async function requireSpace(options: {
  readonly files: DurableFiles;
  readonly limits: Pick<OtaLimits, "unpackedRatio" | "reserveBytes">;
  readonly whole: string;
  readonly sizeBytes: number;
  readonly heldBytes: number;
}): Promise<void> {
  const { files, limits, whole, sizeBytes, heldBytes } = options;
  const unpackedBytes = Math.ceil(sizeBytes * limits.unpackedRatio);
  const needed = sizeBytes - heldBytes + unpackedBytes;
  const available = (await files.freeBytes(dirname(whole))) - limits.reserveBytes;
  if (needed <= available) return;
  throw new StepFailure(
    `not enough disk space: the package has ${sizeBytes} bytes and unpacks to about ${unpackedBytes}, ` +
      `${Math.max(0, available)} can be used beside the ${limits.reserveBytes} that disk_reserve_mib keeps free`,
  );
}
