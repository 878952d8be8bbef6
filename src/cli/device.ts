import { readFileSync } from "node:fs";
import {
  type Config,
  ConfigAccessError,
  hostOfProduct,
  loadConfig,
  type Paths,
  readCik,
} from "../config/index.ts";
import type { DeviceApi } from "../device-client/index.ts";
import { CommandError } from "./errors.ts";

/** What a command needs to speak to Murano as one device. */
export interface DeviceSettings {
  readonly baseUrl: string;
  /** Undefined where a client certificate speaks for the device. */
  readonly cik: string | undefined;
  readonly vendor: string | undefined;
  readonly model: string | undefined;
  readonly userAgent: string | undefined;
  /** PEM texts. */
  readonly ca: string | undefined;
  readonly clientCertificate: { readonly cert: string; readonly key: string } | undefined;
}

export interface OpenDevice {
  readonly api: DeviceApi;
  close(): Promise<void>;
}

export type ConnectDevice = (settings: DeviceSettings) => Promise<OpenDevice>;

export interface DeviceQuestion {
  readonly paths: Paths;
  /** Whose values: a device by its CIK, or the gateway, which may have a client certificate instead. */
  readonly caller: { readonly cik: string } | "gateway" | "nobody";
  /** In place of the configured server. */
  readonly url: string | undefined;
  /** In place of the configured vendor and model. */
  readonly productId?: string | undefined;
}

/** Server and certificates come from the gateway's configuration. */
export function deviceSettings({ paths, caller, url, productId }: DeviceQuestion): DeviceSettings {
  const config = readableConfig(paths, url !== undefined || productId !== undefined);
  const device = config?.device;
  const baseUrl = url ?? serverOf(device, productId);
  if (baseUrl === undefined) {
    throw new CommandError("no server is known: run 'gwe --set-product-id <product id>', or give --url URL");
  }
  const { certFile, keyFile, caFile } = device ?? {};
  const clientCertificate =
    caller === "gateway" && certFile && keyFile
      ? { cert: readPem(certFile), key: readPem(keyFile) }
      : undefined;
  const cik = cikOf(caller, paths);
  if (caller !== "nobody" && cik === undefined && clientCertificate === undefined) throw notActivated();
  return {
    baseUrl,
    cik,
    vendor: productId ?? device?.vendor,
    model: productId ?? device?.model ?? device?.vendor,
    userAgent: config?.engine.userAgent,
    ca: caFile && readPem(caFile),
    clientCertificate,
  };
}

/** A product that is named has its own host, unless the configuration names a server for all. */
function serverOf(device: Config["device"] | undefined, productId: string | undefined): string | undefined {
  if (productId === undefined) return device?.serverUrl;
  const isOwnHost = device?.vendor !== undefined && device.serverUrl === hostOfProduct(device.vendor);
  return isOwnHost || device?.serverUrl === undefined ? hostOfProduct(productId) : device.serverUrl;
}

function cikOf(caller: DeviceQuestion["caller"], paths: Paths): string | undefined {
  if (caller === "nobody") return undefined;
  return caller === "gateway" ? readCik(paths.gatewayCfg) : caller.cik;
}

/** What follows from `$(gwe --gateway-cik)` too early. */
export function notActivated(): CommandError {
  return new CommandError("the gateway is not activated yet: it has no CIK");
}

/** Apps of other users may not read the configuration; with a URL of their own they need not. */
function readableConfig(paths: Paths, optional: boolean): Config | undefined {
  try {
    return loadConfig(paths);
  } catch (error) {
    if (optional && error instanceof ConfigAccessError) return undefined;
    throw error;
  }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new CommandError(`cannot read ${file} (${(error as NodeJS.ErrnoException).code})`, {
      cause: error,
    });
  }
}
