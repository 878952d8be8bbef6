// Downloads a content and counts what it costs on the wire.
// usage: node fetch-content.ts BASE_URL CIK PRODUCT_ID CONTENT_ID FILE
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { DeviceClient, RejectedError } from "gateway-engine/device-client";

const [baseUrl = "", cik = "", productId = "", id = "", file = ""] = process.argv.slice(2);
let wireBytes = 0;
const client = new DeviceClient({
  baseUrl,
  cik,
  vendor: productId,
  model: productId,
  // Counted on the raw socket: headers and TLS are in.
  audit: ({ bytesSent, bytesReceived }) => {
    wireBytes += bytesSent + bytesReceived;
  },
});

try {
  const { sizeBytes } = await client.contentInfo(id);
  const { body } = await client.download({ id }, { signal: AbortSignal.timeout(3_600_000) });
  await pipeline(body, createWriteStream(file));
  console.log(`${sizeBytes} bytes of content, ${wireBytes} bytes on the wire`);
} catch (error) {
  if (!(error instanceof RejectedError && error.status === 404)) throw error;
  console.error(`there is no content ${id}`);
  process.exitCode = 1;
} finally {
  client.close();
}
