import { type ClientRequest, type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent, type RequestOptions } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type Endpoint, openTunnel, secured, secureProxy, startTcp } from "./connect.ts";
import type { ClientCertificate, Settings } from "./options.ts";
import { effectivePort, unbracketed } from "./proxy.ts";

/** What an exchange is told about the connection that carries it. */
export interface ConnectionUser {
  /** The request exists and is about to be given a connection. */
  requested(request: ClientRequest): void;
  /** A new connection is being opened for it. */
  opening(wire: Wire): void;
}

/** A TCP connection with its byte counters, under TLS and any proxy tunnel. */
export class Wire {
  readonly socket: Socket;
  /** Kept here because a closed socket forgets it. Undefined before the connection stands. */
  localAddress: string | undefined;
  #takenSent = 0;
  #takenReceived = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Bytes since the last taking. HTTP/1.1 carries one exchange at a time, so they are one exchange's own. */
  takeBytes(): { readonly sent: number; readonly received: number } {
    const sent = this.socket.bytesWritten - this.#takenSent;
    const received = this.socket.bytesRead - this.#takenReceived;
    this.#takenSent += sent;
    this.#takenReceived += received;
    return { sent, received };
  }
}

type CreateCallback = (error: Error | null, stream: Duplex) => void;
type OwnOptions = ClientRequestArgs & { readonly user: ConnectionUser };
/** The agent's door that `http.request` uses; documented by use, missing in the types. */
type RequestDoor = { addRequest(request: ClientRequest, options: ClientRequestArgs): void };

/**
 * Kept-alive connections to one server, shared by all identities that speak to it (those with a client certificate
 * get connections of their own: Node's agent tells them apart by it).
 */
export class Connections {
  readonly #settings: Settings;
  readonly #agent: HttpAgent;
  readonly #wires = new WeakMap<Duplex, Wire>();

  constructor(settings: Settings) {
    this.#settings = settings;
    const options = {
      keepAlive: true,
      maxFreeSockets: 8,
      // With a limit of its own the agent also heeds the limit that the server announces in `Keep-Alive`.
      timeout: settings.keepAliveMs,
      ...(settings.ca !== undefined && { ca: settings.ca }),
    };
    const open = (user: ConnectionUser, upgrade?: Upgrade) => this.#open(user, upgrade);
    this.#agent =
      settings.server.protocol === "https:" ? secureAgent(open, options) : new PlainAgent(open, options);
  }

  /** The agent as one exchange sees it: it learns of its request and of a connection opened for it. */
  agentFor(user: ConnectionUser, certificate: ClientCertificate | undefined): HttpAgent {
    const agent = this.#agent;
    const addRequest: RequestDoor["addRequest"] = (request, options) => {
      user.requested(request);
      this.#addressProxy(request);
      const own = { ...options, ...certificate, user };
      (agent as unknown as RequestDoor).addRequest(request, own);
    };
    return Object.assign(Object.create(agent) as HttpAgent, { addRequest });
  }

  wireOf(socket: Duplex): Wire | undefined {
    return this.#wires.get(socket);
  }

  /** Closes connections that no exchange uses; the next ones open new connections. */
  dropIdle(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) {
      for (const socket of sockets ?? []) socket.destroy();
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  /** An `http:` request goes to the proxy in absolute form. */
  #addressProxy(request: ClientRequest): void {
    const { proxy, server } = this.#settings;
    if (proxy === undefined || server.protocol === "https:") return;
    request.path = `${server.origin}${request.path}`;
    if (proxy.authorization !== undefined) request.setHeader("Proxy-Authorization", proxy.authorization);
  }

  async #open(user: ConnectionUser, upgrade: Upgrade | undefined): Promise<Duplex> {
    const { proxy, server, ca } = this.#settings;
    const time = upgrade === undefined ? undefined : this.#settings.certificateTime();
    const target: Endpoint = { host: unbracketed(server.hostname), port: effectivePort(server) };
    const { socket, connected } = startTcp(proxy ?? target);
    const wire = new Wire(socket);
    user.opening(wire);
    try {
      await connected;
      wire.localAddress = socket.localAddress;
      let stream: Duplex = socket;
      if (proxy?.secure)
        stream = await secureProxy(socket, proxy, { ca, time: this.#settings.certificateTime() });
      if (proxy !== undefined && upgrade !== undefined) await openTunnel(stream, target, proxy);
      if (upgrade !== undefined) {
        const secure = upgrade(stream, time !== undefined);
        stream = secure;
        await secured(secure, { host: target.host, ca, time });
      }
      this.#wires.set(stream, wire);
      return stream;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  }
}

/** Puts TLS to the server on a connected stream. @param unverified the caller verifies the certificate instead */
type Upgrade = (stream: Duplex, unverified: boolean) => TLSSocket;
type Open = (user: ConnectionUser, upgrade?: Upgrade) => Promise<Duplex>;

/** Gives the agent only connections that are ready: what fails before has sent nothing of the request. */
class PlainAgent extends HttpAgent {
  readonly #open: Open;

  constructor(open: Open, options: ConstructorParameters<typeof HttpAgent>[0]) {
    super(options);
    this.#open = open;
  }

  override createConnection(options: ClientRequestArgs, callback: CreateCallback): undefined {
    deliver(this.#open((options as OwnOptions).user), callback);
  }
}

/**
 * The same with TLS on top; Node's own agent makes the TLS socket, so that TLS sessions are resumed. The class is made when it
 * is needed, since to extend Node's agent is to load all of TLS.
 */
function secureAgent(open: Open, options: ConstructorParameters<typeof HttpsAgent>[0]): HttpAgent {
  class SecureAgent extends HttpsAgent {
    override createConnection(request: RequestOptions, callback: CreateCallback): undefined {
      const upgrade: Upgrade = (socket, unverified) =>
        super.createConnection({
          ...request,
          socket,
          // Without its key no session is kept or resumed: a resumed one would bring no certificate to look at.
          ...(unverified && { rejectUnauthorized: false, _agentKey: undefined }),
        } as RequestOptions) as TLSSocket;
      deliver(open((request as OwnOptions).user, upgrade), callback);
    }
  }
  return new SecureAgent(options);
}

function deliver(opening: Promise<Duplex>, callback: CreateCallback): void {
  opening.then(
    (stream) => callback(null, stream),
    // The agent's callback type wants a stream with an error too; the agent never looks at it.
    (error: Error) => callback(error, undefined as unknown as Duplex),
  );
}
