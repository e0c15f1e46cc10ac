/**
 * How the TCP legs are carried: plain, as the earlier system has it, or TLS with a certificate asked of both sides.
 * Thread: main. Decision: docs/adr/0007-control-plane-security.md.
 */
import { readFileSync } from 'node:fs';
import { createServer, connect as dialPlain, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as dialTls, type SecureContextOptions } from 'node:tls';
import { messageOf, WildfireError } from '../../errors.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Dialled {
  readonly socket: Socket;
  /** The event after which bytes may be sent. */
  readonly readyEvent: 'connect' | 'secureConnect';
}

export interface Transport {
  /** A server that hands over sockets that may be used. */
  createServer(onSocket: (socket: Socket) => void): Server;
  /** Begins a connection; returns at once. */
  dial(endpoint: Endpoint): Dialled;
}

export interface TlsFiles {
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** Whoever shows a certificate of this authority is one of us. */
  readonly tlsCa: string;
}

/** Not encrypted. */
export const PLAIN: Transport = {
  createServer: (onSocket) => createServer({ noDelay: true }, onSocket),
  dial: ({ host, port }) => ({ socket: dialPlain({ host, port, noDelay: true }), readyEvent: 'connect' }),
};

/**
 * TLS when the three files are named, plain when none is.
 * @throws WildfireError CONFIG_INVALID when a file cannot be read
 */
export function transportOf(files: TlsFiles): Transport {
  if (files.tlsCert === '') return PLAIN;
  const material: SecureContextOptions = {
    cert: read('control.tlsCert', files.tlsCert),
    key: read('control.tlsKey', files.tlsKey),
    ca: read('control.tlsCa', files.tlsCa),
    minVersion: 'TLSv1.3',
  };
  return {
    createServer: (onSocket) => {
      const options = { ...material, requestCert: true, rejectUnauthorized: true, noDelay: true };
      return createTlsServer(options, onSocket);
    },
    // Names are not compared: peers are addresses, and the authority is ours alone.
    dial: ({ host, port }) => ({
      socket: dialTls({ ...material, host, port, checkServerIdentity: () => undefined }).setNoDelay(true),
      readyEvent: 'secureConnect',
    }),
  };
}

function read(key: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new WildfireError('CONFIG_INVALID', `${key}: cannot read ${path}: ${messageOf(error)}`);
  }
}
