import type { Clock } from "../../core/clock.ts";
import type { CallOptions, DeviceApi, RecordSeries } from "../../device-client/index.ts";
import type { Batch, DeadVerdict, QueueOutlet, WireEntry } from "../types.ts";
import { type Outcome, outcomeOf, resultName } from "./outcome.ts";
import { afterAnswer, afterLoss, afterTooLarge, fullPace, limitsAt, type Pace } from "./pace.ts";
import {
  accepted,
  begin,
  movedOn,
  nextRequest,
  type Progress,
  type RequestLimits,
  refused,
  resumed,
} from "./progress.ts";
import type { UploadCounter } from "./stats.ts";

export interface BatchSenderDependencies {
  readonly outlet: Pick<QueueOutlet, "moveOn">;
  readonly counter: UploadCounter;
  readonly clock: Clock;
  readonly fullLimits: () => RequestLimits;
}

/** A batch of which every entry was answered for. */
export interface SentBatch {
  readonly batch: Batch;
  readonly dead: readonly DeadVerdict[];
}

/** Any alias that is well formed: a device need not have it (spec: device-api.md, "Status codes"). */
const probeAlias = "gmq_probe";

/** Has one identity's batches recorded, in requests as large as server and link allow. */
export class BatchSender {
  private readonly dependencies: BatchSenderDependencies;
  private pace: Pace = fullPace;
  private progress: Progress | undefined;

  constructor(dependencies: BatchSenderDependencies) {
    this.dependencies = dependencies;
  }

  /** A batch was begun and not yet sent in full. */
  get isUnfinished(): boolean {
    return this.progress !== undefined;
  }

  limits(): RequestLimits {
    return limitsAt(this.pace, this.dependencies.fullLimits());
  }

  /**
   * Resolves when every entry was answered for. What an earlier call had answered of the same batch is not sent again.
   * @throws DeviceApiError where nothing is known of the rest: to be repeated, as often as needed
   */
  async send(
    batch: Batch,
    api: Pick<DeviceApi, "record" | "read">,
    options: CallOptions,
  ): Promise<SentBatch> {
    let progress = this.progress?.batch.id === batch.id ? resumed(this.progress, batch) : begin(batch);
    this.progress = progress;
    for (;;) {
      const request = nextRequest(progress, this.limits());
      if (request.length === 0) break;
      progress = await this.attempt(progress, request, api, options);
      this.progress = progress;
    }
    return { batch: progress.batch, dead: progress.dead };
  }

  /** The batch that was sent is settled. */
  settled(): void {
    this.progress = undefined;
  }

  private async attempt(
    progress: Progress,
    request: readonly WireEntry[],
    api: Pick<DeviceApi, "record" | "read">,
    options: CallOptions,
  ): Promise<Progress> {
    const { counter, clock } = this.dependencies;
    const startedMs = clock.monotonic();
    try {
      await api.record(seriesOf(request), options);
    } catch (error) {
      options.signal?.throwIfAborted();
      counter.request(resultName(error));
      return await this.unaccepted(progress, request, { error, api, options });
    }
    counter.request("204");
    counter.delivered(request.length, bytesOf(request));
    this.pace = afterAnswer(this.pace, clock.monotonic() - startedMs);
    return accepted(progress, request);
  }

  private async unaccepted(
    progress: Progress,
    request: readonly WireEntry[],
    failed: { readonly error: unknown; readonly api: Pick<DeviceApi, "read">; readonly options: CallOptions },
  ): Promise<Progress> {
    const outcome = outcomeOf(failed.error);
    switch (outcome.kind) {
      case "failed":
        if (outcome.isLost) this.pace = afterLoss(this.pace);
        throw failed.error;
      case "conflict":
        return await this.moveOn(progress, request, outcome);
      case "refused":
        if (outcome.isTooLarge) this.pace = afterTooLarge(this.pace, bytesOf(request));
        // Before a value is given up, Murano itself must have been heard: a proxy may refuse whatever passes.
        if (request.length === 1 && !outcome.isOwn) await failed.api.read([probeAlias], failed.options);
        return refused(progress, request, outcome.refusal);
    }
  }

  /** The refused ones get other seconds, and the request is repeated: what the server took of it is not added again. */
  private async moveOn(
    progress: Progress,
    request: readonly WireEntry[],
    { seconds }: Extract<Outcome, { kind: "conflict" }>,
  ): Promise<Progress> {
    const named = request.filter(({ alias, second }) => seconds.get(alias)?.includes(second));
    if (named.length === 0 && request.length > 1) {
      return refused(progress, request, { status: 409, answer: undefined });
    }
    const moving = named.length === 0 ? request : named;
    const batch = await this.dependencies.outlet.moveOn(
      progress.batch,
      moving.map(({ seq }) => seq),
    );
    return movedOn(progress, batch);
  }
}

/** One series per alias, in the order in which the aliases first come. */
function seriesOf(entries: readonly WireEntry[]): readonly RecordSeries[] {
  const series = new Map<string, [number, string][]>();
  for (const { alias, second, value } of entries) {
    const points = series.get(alias);
    if (points === undefined) series.set(alias, [[second, value]]);
    else points.push([second, value]);
  }
  return Array.from(series, ([alias, points]) => ({ alias, points }));
}

function bytesOf(entries: readonly WireEntry[]): number {
  return entries.reduce(
    (sum, { alias, value }) => sum + Buffer.byteLength(alias) + Buffer.byteLength(value),
    0,
  );
}
