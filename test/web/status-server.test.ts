/** The HTTP side: what a scraper, a load balancer and a person get, and what happens when the port is taken. */
import { afterEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/observability/metrics.ts';
import { type StatusServer, type StatusSource, startStatusServer } from '../../src/web/status-server.ts';
import { parsePrometheus } from '../observability/prometheus-text.ts';

const servers: StatusServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const metrics = createMetrics();
metrics.events.inc({ area: 'sip.dropped', reason: 'a "quoted" reason\\' }, 2);
metrics.stageSeconds.observe({ stage: 'stt' }, 0.1);

const SOURCE: StatusSource = {
  metrics: async () => ({
    contentType: metrics.registry.contentType,
    text: await metrics.registry.metrics(),
  }),
  health: () => 'ok',
  status: async () => ({ activeCalls: 3 }),
};

async function serve(source: Partial<StatusSource> = {}): Promise<(path: string) => Promise<Response>> {
  const server = await startStatusServer({ bindAddress: '127.0.0.1', port: 0 }, { ...SOURCE, ...source });
  servers.push(server);
  return (path) => fetch(`http://127.0.0.1:${server.port}${path}`);
}

describe('status server', () => {
  it('gives metrics as valid Prometheus text', async () => {
    const get = await serve();
    const response = await get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const families = parsePrometheus(await response.text());
    expect(families.get('wildfire_events_total')).toMatchObject({
      type: 'counter',
      samples: [{ labels: { area: 'sip.dropped', reason: 'a "quoted" reason\\' }, value: 2 }],
    });
    expect(families.get('wildfire_stage_seconds')?.type).toBe('histogram');
  });

  it.each([
    ['starting', 503],
    ['ok', 200],
    ['draining', 503],
  ] as const)('is healthy only when it takes calls: %s is %d', async (health, status) => {
    const get = await serve({ health: () => health });
    const response = await get('/healthz?verbose=1');
    expect([response.status, await response.json()]).toEqual([status, { status: health }]);
  });

  it('gives the status as JSON that nobody keeps', async () => {
    const get = await serve();
    const response = await get('/api/status');
    expect(await response.json()).toEqual({ activeCalls: 3 });
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('says so when there is nothing at a path', async () => {
    const get = await serve();
    const response = await get('/nothing/here?x=1');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({ error: 'nothing at /nothing/here' });
  });

  it('answers 500 when the status cannot be had, and goes on', async () => {
    const get = await serve({ status: () => Promise.reject(new Error('the media thread has died')) });
    const response = await get('/api/status');
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: 'the media thread has died' });
    expect((await get('/healthz')).status).toBe(200);
  });

  it('names the port that is in use, and the key to change', async () => {
    await serve();
    const port = servers[0]?.port ?? 0;
    await expect(startStatusServer({ bindAddress: '127.0.0.1', port }, SOURCE)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${port}.*web\\.port`)),
    });
  });

  it('names an address that is not ours', async () => {
    await expect(startStatusServer({ bindAddress: '192.0.2.1', port: 0 }, SOURCE)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(/192\.0\.2\.1.*web\.bindAddress/),
    });
  });

  it('closes although a client keeps its connection', async () => {
    const get = await serve();
    await (await get('/healthz')).text();
    await servers.pop()?.close();
    await expect(get('/healthz')).rejects.toThrow();
  });
});
