import { describeError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { ActivationRequest, DeviceApi } from "../device-client/index.ts";

/** Where the CIK lies on disk: `Gateway.cfg` for the gateway's own, the queue's database for others'. */
export interface CikStorage {
  current(): string | undefined;
  /** Replaces it durably and whole; throws or rejects when the disk refuses, the old one then still being there. */
  replace(cik: string): void | Promise<void>;
}

export interface CredentialsDependencies {
  readonly storage: CikStorage;
  readonly api: Pick<DeviceApi, "activate">;
  /** Asked at each activation: the serial number may become known only when an interface appears. */
  readonly request: () => ActivationRequest;
  /** A TLS client certificate takes the CIK's place: there is nothing to activate. */
  readonly hasCertificate: boolean;
  readonly logger: Logger;
}

/**
 * A device's CIK in use, and the way to a new one. The old CIK stays on disk until a new one is durable; one that
 * could not be written is used from memory and written again before every check-in, since Murano has already voided
 * the old one.
 */
export class Credentials {
  private readonly dependencies: CredentialsDependencies;
  private cik: string | undefined;
  private unsaved = false;
  private activation: Promise<void> | undefined;

  constructor(dependencies: CredentialsDependencies) {
    this.dependencies = dependencies;
    this.cik = dependencies.storage.current();
  }

  current(): string | undefined {
    return this.cik;
  }

  /** Whether there is something to be known by in Murano. */
  areReady(): boolean {
    return this.dependencies.hasCertificate || this.cik !== undefined;
  }

  get canBeRenewed(): boolean {
    return !this.dependencies.hasCertificate;
  }

  /**
   * Asks Murano for a new CIK. Calls that come while one is under way share it: a second activation would void the
   * CIK that the first has just brought.
   *
   * @throws DeviceApiError as `DeviceApi.activate` does; the CIK in use is then unchanged
   */
  activate(): Promise<void> {
    this.activation ??= this.activateNow().finally(() => {
      this.activation = undefined;
    });
    return this.activation;
  }

  /** Writes a CIK that an earlier attempt could not write. */
  async savePending(): Promise<void> {
    if (!this.unsaved || this.cik === undefined) return;
    const { storage, logger } = this.dependencies;
    const { cik } = this;
    try {
      await storage.replace(cik);
      // Another may have come while this one was being written.
      this.unsaved = this.cik !== cik;
    } catch (error) {
      logger.error("the new CIK cannot be written: the device must be enabled again if power fails now", {
        error: describeError(error),
      });
    }
  }

  private async activateNow(): Promise<void> {
    const { api, request, logger } = this.dependencies;
    // No abort signal: an answer that nobody waits for would carry the only valid CIK.
    const device = request();
    this.cik = await api.activate(device);
    this.unsaved = true;
    await this.savePending();
    logger.info("activated", { vendor: device.vendor, model: device.model, serial: device.sn });
  }
}
