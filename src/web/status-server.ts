/**
 * The HTTP side: /metrics (Prometheus), /healthz (200, or 503 while starting or draining) and /api/status. Reads only.
 * Thread: main.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, WildfireError } from '../errors.ts';

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

/**
 * Starts listening.
 * @throws WildfireError PORT_IN_USE
 */
export async function startStatusServer(
  listen: { bindAddress: string; port: number },
  source: StatusSource,
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', source, response).catch((error: unknown) => {
      send(response, 500, 'application/json', JSON.stringify({ error: messageOf(error) }));
    });
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

async function answer(url: string, source: StatusSource, response: ServerResponse): Promise<void> {
  const path = url.split('?')[0];
  if (path === '/metrics') {
    const { contentType, text } = await source.metrics();
    send(response, 200, contentType, text);
  } else if (path === '/healthz') {
    const status = source.health();
    send(response, status === 'ok' ? 200 : 503, 'application/json', JSON.stringify({ status }));
  } else if (path === '/api/status') {
    send(response, 200, 'application/json', JSON.stringify(await source.status()));
  } else {
    send(response, 404, 'application/json', JSON.stringify({ error: `nothing at ${path}` }));
  }
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(body);
}

function listenOn(server: Server, listen: { bindAddress: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const where = `${listen.bindAddress}:${listen.port}`;
      reject(
        error.code === 'EADDRINUSE'
          ? new WildfireError(
              'PORT_IN_USE',
              `HTTP port ${where} is in use; stop the other program or set web.port`,
            )
          : new WildfireError('PORT_IN_USE', `cannot listen for HTTP on ${where}: ${error.message}`),
      );
    });
    server.listen(listen.port, listen.bindAddress, () => resolve());
  });
}
