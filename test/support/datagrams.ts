/** `node datagrams.ts ADDRESS COUNT`: sends so many UDP datagrams of 1,400 bytes to port 9 there. */
import { createSocket } from "node:dgram";
import { pathToFileURL } from "node:url";

const payload = Buffer.alloc(1_400);
/** With the headers of UDP, IPv4 and Ethernet. */
export const frameBytes = payload.length + 8 + 20 + 14;

export async function sendDatagrams(address: string, count: number): Promise<void> {
  const socket = createSocket("udp4");
  const send = (): Promise<void> =>
    new Promise((resolve, reject) =>
      socket.send(payload, 9, address, (error) => (error === null ? resolve() : reject(error))),
    );
  for (let sent = 0; sent < count; sent++) await send();
  socket.close();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await sendDatagrams(process.argv[2] ?? "", Number(process.argv[3]));
}
