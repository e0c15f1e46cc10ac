/**
 * A TCP listener of the control plane: accepts at any moment, refuses strangers, and where the dialling side speaks
 * first hands a connection on only when its HELLO has come and was believed. Thread: main.
 */
import type { AddressInfo, Server, Socket } from 'node:net';
import type { WildfireError } from '../../errors.ts';
import type { LegRules } from '../wire/frames.ts';
import type { Identity, IdentityPurpose } from '../wire/identity.ts';
import type { AllowList } from './access.ts';
import { FramedSocket, type LegHandlers, type LegHealth } from './framed-socket.ts';
import { listenError } from './listen-error.ts';
import type { Transport } from './transport.ts';

/** What all legs of a process share. */
export interface LegContext {
  readonly transport: Transport;
  readonly access: AllowList;
  readonly identity: Identity;
  readonly health: LegHealth;
  readonly helloTimeoutMs: number;
  /** Counts what was refused, dropped or lost, by reason word. */
  readonly count: (reason: string) => void;
}

export interface LegServerOptions {
  readonly context: LegContext;
  readonly bindAddress: string;
  readonly port: number;
  readonly rules: LegRules;
  /** What a signed HELLO must be for. */
  readonly helloPurpose: IdentityPurpose;
  /** For the message when the port is taken. */
  readonly portHint: string;
  /** A leg that may be used; `callId` is null where no HELLO comes in. Must hand over its handlers at once. */
  readonly onLeg: (leg: FramedSocket, callId: number | null) => void;
}

/** Connections that have not said who they are, at once; the oldest makes room. */
const MAX_SILENT = 256;
const NOBODY: LegHandlers = { onFrame: () => {}, onClosed: () => {} };

export class LegServer {
  readonly #options: LegServerOptions;
  readonly #server: Server;
  readonly #silent = new Set<FramedSocket>();

  private constructor(options: LegServerOptions) {
    this.#options = options;
    this.#server = options.context.transport.createServer((socket) => this.#onSocket(socket));
    this.#server.on('tlsClientError', () => options.context.count('tlsRefused'));
  }

  /** @throws WildfireError as listenError() */
  static async listen(options: LegServerOptions): Promise<LegServer> {
    const server = new LegServer(options);
    await server.#listen();
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Stops accepting. Legs that were handed over are their owners' to close. */
  async close(): Promise<void> {
    for (const leg of this.#silent) leg.close();
    this.#silent.clear();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #listen(): Promise<void> {
    const { bindAddress, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(this.#listenError(error)));
      this.#server.listen({ host: bindAddress, port, backlog: 1024, exclusive: true }, () => {
        this.#server.removeAllListeners('error');
        this.#server.on('error', () => this.#options.context.count('acceptFailed'));
        resolve();
      });
    });
  }

  #onSocket(socket: Socket): void {
    const { context, rules, onLeg } = this.#options;
    if (!context.access.allows(socket.remoteAddress ?? '')) {
      socket.on('error', () => {}); // a stranger's socket is only closed
      socket.destroy();
      return context.count('addressRefused');
    }
    const leg = new FramedSocket(socket, rules, context.health, NOBODY);
    if (rules.maxHelloBytes === 0) onLeg(leg, null);
    else this.#awaitHello(leg);
  }

  #awaitHello(leg: FramedSocket): void {
    const { context } = this.#options;
    if (this.#silent.size >= MAX_SILENT) this.#silent.values().next().value?.close();
    this.#silent.add(leg);
    const timer = setTimeout(() => {
      context.count('helloTimeout');
      leg.close();
    }, context.helloTimeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      this.#silent.delete(leg);
    };
    leg.handOver({
      onFrame: (frame) => {
        done();
        this.#onHello(leg, frame.kind === 'hello' ? frame.payload : '');
      },
      onClosed: (reason) => {
        done();
        if (reason !== 'closedHere') context.count('closedBeforeHello');
      },
    });
  }

  #onHello(leg: FramedSocket, payload: string): void {
    const { context, helloPurpose, onLeg } = this.#options;
    const callId = context.identity.read(helloPurpose, payload);
    leg.handOver(NOBODY);
    if (typeof callId === 'number') return onLeg(leg, callId);
    context.count(callId);
    leg.close();
  }

  #listenError(error: NodeJS.ErrnoException): WildfireError {
    const { bindAddress, port, portHint } = this.#options;
    return listenError(error, { name: `control port ${bindAddress}:${port} (TCP)`, port, hint: portHint });
  }
}
