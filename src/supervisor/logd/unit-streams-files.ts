import { join } from "node:path";
import { isProcessKey } from "../process-key.ts";
import type { SupervisorSystem } from "../system.ts";
import type { LogdLayout } from "./layout.ts";
import { renderUnitStreams, type UnitStreams } from "./stream-file.ts";

/** Tells the log daemon which streams there are: a file a launcher. It looks by itself, and when a launcher asks it to. */
export class UnitStreamsFiles {
  private readonly layout: LogdLayout;
  private readonly system: SupervisorSystem;

  constructor(layout: LogdLayout, system: SupervisorSystem) {
    this.layout = layout;
    this.system = system;
  }

  write(unit: string, streams: UnitStreams): void {
    this.system.writeFileAtomic(join(this.layout.streams, unit), renderUnitStreams(streams), { mode: 0o600 });
  }

  /** What is still in its FIFOs is read to the end, as long as the log daemon has them open. */
  remove(unit: string): void {
    if (!isProcessKey(unit)) return;
    const { streams, fifos } = this.layout;
    const places = [join(streams, unit), join(fifos, `${unit}.stdout`), join(fifos, `${unit}.stderr`)];
    for (const place of places) this.system.removePath(place);
  }
}
