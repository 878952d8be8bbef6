import { GweError } from "../core/errors.ts";
import type { DeviceApi } from "../device-client/index.ts";

/** The gateway knows no product yet, so there is no content area to download from. */
class NoProductError extends GweError {
  readonly code = "NO_PRODUCT";
}

const refuse = (): Promise<never> =>
  Promise.reject(new NoProductError("the gateway does not know its product: nothing can be downloaded"));

/** Stands where Murano's content would be, for an engine that only installs files at hand. */
export const noContent: Pick<DeviceApi, "contentInfo" | "download"> = {
  contentInfo: refuse,
  download: refuse,
};
