import type { Clock, Random } from "../../core/clock.ts";
import type { Hold } from "../../core/hold.ts";
import type { Logger } from "../../core/logger.ts";
import type { IdentityStore, QueueOutlet, UploadStats } from "../types.ts";
import { type DeviceLinks, IdentityLinks } from "./links.ts";
import { RefusalWatch } from "./refusal-watch.ts";
import type { ForwarderSettings } from "./settings.ts";
import { Slots } from "./slots.ts";
import { UploadCounter } from "./stats.ts";
import { Uploader, type UploaderStatus } from "./uploader.ts";

export interface ForwarderDependencies {
  readonly outlet: QueueOutlet;
  readonly identities: IdentityStore;
  readonly links: DeviceLinks;
  readonly settings: ForwarderSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Brings what is queued to Murano, each identity on its own: live writes first, oldest first, everything as a record
 * at a second that the store has allotted durably. Whatever is repeated adds no second point; nothing leaves the store
 * before Murano has answered for it.
 */
export class Forwarder {
  readonly identityLinks: IdentityLinks;
  private readonly dependencies: ForwarderDependencies;
  private readonly counter = new UploadCounter();
  private readonly slots: Slots;
  private readonly refusals: RefusalWatch;
  private readonly uploaders = new Map<number, Uploader>();
  private readonly running = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private currentSettings: ForwarderSettings;
  private currentHold: Hold = "nothing";
  private commits = 0;
  private stopListening: () => void = () => undefined;

  constructor(dependencies: ForwarderDependencies) {
    const { outlet, identities, links, settings, clock, logger } = dependencies;
    this.dependencies = dependencies;
    this.currentSettings = settings;
    this.slots = new Slots(() => this.currentSettings.parallelUploads);
    this.identityLinks = new IdentityLinks({
      identities,
      links,
      onRenewed: (id) => this.uploaders.get(id)?.retryNow(),
    });
    this.refusals = new RefusalWatch({ outlet, identities, links: this.identityLinks, clock, logger });
  }

  /** Goes on with what an earlier run left. */
  start(): void {
    const { outlet } = this.dependencies;
    for (const { identityId } of outlet.waiting()) this.uploaderOf(identityId, true);
    this.stopListening = outlet.onAppended((identityId) => {
      this.commits += 1;
      this.uploaderOf(identityId).appended();
    });
  }

  /** Resolves when no request is under way any more; what was not answered for stays queued. */
  async stop(): Promise<void> {
    this.stopListening();
    this.stopping.abort();
    await Promise.all(this.running);
  }

  /** In force from the next request on. */
  configure(settings: ForwarderSettings): void {
    this.currentSettings = settings;
    for (const uploader of this.uploaders.values()) uploader.wake();
  }

  /** Keeps back what can wait. A batch that is being sent is sent to its end. */
  hold(what: Hold): void {
    if (what === this.currentHold) return;
    this.currentHold = what;
    for (const uploader of this.uploaders.values()) uploader.wake();
  }

  /** What is kept back. */
  get held(): Hold {
    return this.currentHold;
  }

  /** Uploads all there is now: nothing waits for company, for a backoff to end or for a budget. */
  drain(): void {
    for (const { identityId } of this.dependencies.outlet.waiting()) this.uploaderOf(identityId).hurry();
  }

  stats(): UploadStats {
    return this.counter;
  }

  statuses(): readonly UploaderStatus[] {
    return Array.from(this.uploaders.values(), (uploader) => uploader.status());
  }

  private uploaderOf(identityId: number, hasBacklog = false): Uploader {
    const known = this.uploaders.get(identityId);
    if (known !== undefined) return known;
    const { outlet, clock, random, logger } = this.dependencies;
    const uploader = new Uploader(identityId, hasBacklog, {
      outlet,
      links: this.identityLinks,
      refusals: this.refusals,
      settings: () => this.currentSettings,
      hold: () => this.currentHold,
      slots: this.slots,
      commits: () => this.commits,
      counter: this.counter,
      clock,
      random,
      logger,
      onReached: () => this.linkIsBack(),
      onLost: () => {
        this.counter.isOnline = false;
      },
    });
    this.uploaders.set(identityId, uploader);
    const run = uploader.run(this.stopping.signal).finally(() => this.running.delete(run));
    this.running.add(run);
    return uploader;
  }

  private linkIsBack(): void {
    if (this.counter.isOnline) return;
    this.counter.isOnline = true;
    for (const uploader of this.uploaders.values()) uploader.linkIsBack();
  }
}
