import { openSqliteStore } from "../../src/emulator/store/sqlite/sqlite-store.ts";
import { madeUpValues } from "./made-up-gateway.ts";

/** So many at a time, committed together. */
const perBatch = 500;

/**
 * Writes a made-up fleet into a data directory that no emulator has open: by its own store, many times faster than ten
 * thousand gateways could report over HTTP.
 */
export async function storeFleet(directory: string, count: number): Promise<void> {
  const store = openSqliteStore({ directory, createMissing: true, historyLimit: 1000 });
  const { owner } = await store.owners.first(undefined);
  for (const name of ["pump-station", "compressor"]) {
    await store.models.add({ ownerId: owner.id, name, rid: "", options: "" });
  }
  const now = Math.floor(Date.now() / 1000);
  for (let at = 0; at < count; at += perBatch) {
    const batch = Array.from({ length: Math.min(perBatch, count - at) }, (_, index) => at + index);
    await Promise.all(batch.map((index) => storeGateway(index)));
  }
  await store.close();

  async function storeGateway(index: number): Promise<void> {
    const { product, sn, values } = madeUpValues(index);
    const model = await store.models.find(product);
    if (!model) return;
    const activation = await store.serials.activate({ model, sn, open: true, connection: "", now });
    if (activation.outcome !== "activated") return;
    const writes = Object.entries(values).map(([alias, value]) => ({
      alias,
      value: Buffer.from(JSON.stringify(value)),
    }));
    // Some have been silent for a while, so that they count as offline.
    const seenAt = now - (index % 50 === 7 ? 4000 + index : index % 60);
    await store.dataports.writeRead(activation.clientId, writes, [], seenAt);
  }
}
