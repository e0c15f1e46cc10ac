/**
 * The HTTP side: /metrics (Prometheus), /healthz (200, or 503 while starting or draining), /api/status, and kept calls
 * and turns (call-api.ts). Reads only. Thread: main.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, WildfireError } from '../errors.ts';
import { type CallRecords, storeQueryOf } from './call-api.ts';
import { BadRequest } from './query-parameters.ts';

export interface StatusSource {
  /** Everything counted and measured, as a scrape gets it. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  health(): 'starting' | 'ok' | 'draining';
  /** The document of /api/status. */
  status(): Promise<object>;
}

export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

const NOT_KEPT =
  'no calls are kept: start with store.enabled=true, in the process that answers them (role sip)';
const RETRY_AFTER_S = '1';

/**
 * Starts listening.
 * @param calls null when none are kept
 * @throws WildfireError PORT_IN_USE; CONFIG_INVALID for an address that is not ours, or a port that is not allowed us
 */
export async function startStatusServer(
  listen: { bindAddress: string; port: number },
  source: StatusSource,
  calls: CallRecords | null = null,
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request, response, { source, calls }).catch((error: unknown) => fail(response, error));
  });
  await listenOn(server, listen);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { method = '', url = '/' }: IncomingMessage,
  response: ServerResponse,
  { source, calls }: { source: StatusSource; calls: CallRecords | null },
): Promise<void> {
  const [path = '/', query = ''] = url.split(/\?(.*)/s);
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    sendJson(response, 405, { error: `${method} is not allowed: everything here is read only` });
  } else if (path === '/metrics') {
    const { contentType, text } = await source.metrics();
    send(response, 200, contentType, text);
  } else if (path === '/healthz') {
    const status = source.health();
    sendJson(response, status === 'ok' ? 200 : 503, { status });
  } else if (path === '/api/status') {
    sendJson(response, 200, await source.status());
  } else {
    await answerFromStore(response, calls, { path, query });
  }
}

async function answerFromStore(
  response: ServerResponse,
  calls: CallRecords | null,
  { path, query }: { path: string; query: string },
): Promise<void> {
  const asked = storeQueryOf(path, new URLSearchParams(query));
  if (asked === null) return sendJson(response, 404, { error: `nothing at ${path}` });
  if (calls === null) return sendJson(response, 404, { error: NOT_KEPT });
  const json = await calls.read(asked);
  if (json === null) sendJson(response, 404, { error: 'no such call' });
  else send(response, 200, 'application/json', json);
}

function fail(response: ServerResponse, error: unknown): void {
  const isRetryable = error instanceof WildfireError && error.retryable;
  if (isRetryable) response.setHeader('retry-after', RETRY_AFTER_S);
  const status = error instanceof BadRequest ? 400 : isRetryable ? 503 : 500;
  sendJson(response, status, { error: messageOf(error) });
}

function sendJson(response: ServerResponse, status: number, document: object): void {
  send(response, status, 'application/json', JSON.stringify(document));
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}

function listenOn(server: Server, listen: { bindAddress: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, listen)));
    server.listen(listen.port, listen.bindAddress, () => resolve());
  });
}

function listenError(
  error: NodeJS.ErrnoException,
  { bindAddress, port }: { bindAddress: string; port: number },
): WildfireError {
  const where = `${bindAddress}:${port}`;
  if (error.code === 'EADDRINUSE') {
    const message = `HTTP port ${where} is in use; stop the other program or set web.port`;
    return new WildfireError('PORT_IN_USE', message);
  }
  const message = `cannot listen for HTTP on ${where} (web.bindAddress, web.port): ${error.message}`;
  return new WildfireError('CONFIG_INVALID', message, { cause: error });
}
