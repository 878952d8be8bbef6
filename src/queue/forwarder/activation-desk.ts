import { classifyFailure } from "../../core/api-failure.ts";
import type { Clock } from "../../core/clock.ts";
import { describeError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { Activator, Caller, IdentityStore, ReadThrough, ReadThroughAnswer, Vms } from "../types.ts";
import type { DeviceLink, IdentityLinks, LinkActivation } from "./links.ts";

export interface ActivationDeskDependencies {
  readonly identities: IdentityStore;
  readonly links: IdentityLinks;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An app that asks in a loop must not make Murano be asked as often. */
const pauseAfterFailureMs = 10_000;

/** Answers what apps ask of Murano itself: their CIK, and the values of aliases. */
export class ActivationDesk implements Activator, ReadThrough {
  private readonly dependencies: ActivationDeskDependencies;
  private readonly notBeforeMs = new Map<number, number>();

  constructor(dependencies: ActivationDeskDependencies) {
    this.dependencies = dependencies;
  }

  async activate(vms: Vms, timeoutMs: number): Promise<string | undefined> {
    const { identities, links, clock, logger } = this.dependencies;
    const { id } = await identities.register({ kind: "vms", ...vms });
    try {
      const { activation } = links.of(id);
      const known = activation?.current();
      if (activation === undefined || known !== undefined) return known;
      if (clock.monotonic() < (this.notBeforeMs.get(id) ?? 0)) return undefined;
      const timeout = new AbortController();
      const activating = this.obtain(id, activation).finally(() => timeout.abort());
      await Promise.race([activating, clock.sleep(timeoutMs, timeout.signal).catch(() => undefined)]);
      return activation.current();
    } catch (error) {
      logger.info("no CIK could be had", { identity: id, reason: describeError(error) });
      return undefined;
    }
  }

  async read(caller: Caller, aliases: readonly string[]): Promise<ReadThroughAnswer | undefined> {
    try {
      const link = await this.linkFor(caller);
      const { values } = await link.api.read(aliases);
      return { status: values.size === 0 ? 204 : 200, values };
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure.kind === "transient") return undefined;
      const { status } = error as { readonly status?: number };
      return { status: status ?? (failure.kind === "unauthorized" ? 401 : 400), values: new Map() };
    }
  }

  private async obtain(id: number, activation: LinkActivation): Promise<void> {
    const { clock, logger } = this.dependencies;
    try {
      await activation.activate();
      this.notBeforeMs.delete(id);
    } catch (error) {
      this.notBeforeMs.set(id, clock.monotonic() + pauseAfterFailureMs);
      logger.info("no CIK could be had", { identity: id, reason: describeError(error) });
    }
  }

  private async linkFor(caller: Caller): Promise<DeviceLink> {
    const { identities, links } = this.dependencies;
    const known = identities.find(caller);
    if (known !== undefined) return links.of(known.id);
    if (caller.kind === "cik") return links.passing(caller.cik);
    return links.of((await identities.register(caller)).id);
  }
}
