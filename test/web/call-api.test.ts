/** Calls and turns over HTTP, from a real database: what is asked, what is answered, and what is refused. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WildfireError } from '../../src/errors.ts';
import { StoreClient } from '../../src/store/store-client.ts';
import { MAX_PAGE } from '../../src/store/store-messages.ts';
import { type StatusServer, type StatusSource, startStatusServer } from '../../src/web/status-server.ts';
import { printedSeed, SeededRandom } from '../seeded-random.ts';
import { callReport, turnReport } from '../store/reports.ts';
import { scratchFolder } from '../store/scratch-folder.ts';

const CALLS = 30;
const TURNS_OF_CALL = 3;
/** A Call-ID may have any of these. */
const ODD_CALL_ID = `a/b?c=d&e%20'";--<>@[::1]`;

const SOURCE: StatusSource = {
  metrics: async () => ({ contentType: 'text/plain', text: '' }),
  health: () => 'ok',
  status: async () => ({}),
};

type Document = Record<string, unknown> & {
  readonly calls: readonly { readonly callId: number; readonly id: string }[];
  readonly turns: readonly { readonly callId: number; readonly turnId: number }[];
  readonly next: number | null;
  readonly error: string;
};

const scratch = scratchFolder();
let store: StoreClient;
let server: StatusServer;

beforeAll(async () => {
  const silent = () => {};
  store = await StoreClient.start({
    path: scratch(),
    retentionDays: 0,
    keepText: true,
    log: { debug: silent, info: silent, warn: silent, error: silent },
    count: (area, reason) => expect.unreachable(`${area} ${reason}`),
    onWritten: silent,
  });
  server = await startStatusServer({ bindAddress: '127.0.0.1', port: 0 }, SOURCE, store);
  for (let callId = 1; callId <= CALLS; callId++) {
    const sipCallId = callId === 1 ? ODD_CALL_ID : `call-${callId}@192.0.2.1`;
    store.callStarted(callId, sipCallId);
    for (let turnId = 1; turnId <= TURNS_OF_CALL; turnId++)
      store.keepTurn(turnReport({ callId, sipCallId, turnId }));
    if (callId < CALLS) store.keepCall(callReport({ callId, sipCallId, turns: TURNS_OF_CALL }));
  }
  await store.written();
});

afterAll(async () => {
  await server?.close();
  await store?.close();
});

async function get(path: string, port = server.port): Promise<{ status: number; body: Document }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  return { status: response.status, body: (await response.json()) as Document };
}

/** As it stands: fetch would repair the path. */
function getRaw(
  path: string,
  method = 'GET',
): Promise<{ status: number; text: string; allow: string | undefined }> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: server.port, path, method }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, allow: response.headers.allow }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}

describe('GET /api/calls', () => {
  it('begins with the newest, and pages lead to the oldest', async () => {
    const seen: number[] = [];
    let path: string | null = '/api/calls?limit=7';
    while (path !== null) {
      const { status, body }: { status: number; body: Document } = await get(path);
      expect(status).toBe(200);
      expect(body.calls.length).toBeLessThanOrEqual(7);
      seen.push(...body.calls.map(({ callId }) => callId));
      path = body.next === null ? null : `/api/calls?before=${body.next}&limit=7`;
    }
    expect(seen).toEqual(Array.from({ length: CALLS }, (_, at) => CALLS - at));
  });

  it('has a live call with its turns so far, and no end', async () => {
    const { body } = await get('/api/calls?limit=2');
    expect(body.calls).toMatchObject([
      {
        callId: CALLS,
        id: `${store.run}-${CALLS}`,
        turns: TURNS_OF_CALL,
        endedAt: null,
        endedBy: null,
        rtp: null,
      },
      {
        callId: CALLS - 1,
        endedBy: 'caller',
        reason: 'bye',
        rtp: callReport().rtp,
        ledger: callReport().ledger,
      },
    ]);
  });
});

describe('GET /api/calls/{id}', () => {
  it.each([
    ['the id', () => `${store.run}-1`],
    ['the SIP Call-ID', () => encodeURIComponent(ODD_CALL_ID)],
  ])('takes %s', async (_, name) => {
    const { status, body } = await get(`/api/calls/${name()}`);
    expect(status).toBe(200);
    expect(body.call).toMatchObject({ callId: 1, sipCallId: ODD_CALL_ID });
    expect(body.turns.map(({ turnId }) => turnId)).toEqual([1, 2, 3]);
    expect(body.turns[1]).toMatchObject(turnReport({ callId: 1, sipCallId: ODD_CALL_ID, turnId: 2 }));
  });

  it.each([
    'nobody',
    '0-1',
    `${'f'.repeat(12)}-1`,
    "'%20OR%201=1%20--",
    '%27;DROP%20TABLE%20calls;--',
    '..',
    '%00',
  ])('knows no call %s', async (name) => {
    const { status, text } = await getRaw(`/api/calls/${name}`);
    expect([status, JSON.parse(text)]).toEqual([404, { error: 'no such call' }]);
  });

  it('still has all calls after that', async () => {
    expect((await get('/api/calls?limit=200')).body.calls).toHaveLength(CALLS);
  });
});

describe('GET /api/turns', () => {
  it('has the turns of all calls, the newest first', async () => {
    const { body } = await get('/api/turns?limit=4');
    expect(body.turns.map(({ callId, turnId }) => [callId, turnId])).toEqual([
      [CALLS, 3],
      [CALLS, 2],
      [CALLS, 1],
      [CALLS - 1, 3],
    ]);
    expect((await get(`/api/turns?limit=1&before=${body.next}`)).body.turns).toMatchObject([
      { callId: CALLS - 1, turnId: 2 },
    ]);
  });

  it('has those of one call', async () => {
    const { body } = await get(`/api/turns?call=${encodeURIComponent(ODD_CALL_ID)}`);
    expect(body).toMatchObject({ turns: [{ turnId: 3 }, { turnId: 2 }, { turnId: 1 }], next: null });
    expect(await get('/api/turns?call=nobody')).toEqual({ status: 404, body: { error: 'no such call' } });
  });
});

describe('a request that is refused', () => {
  it.each([
    ['/api/calls?limit=0', /limit: expected a whole number from 1 to 200, not "0"/],
    ['/api/calls?limit=201', /limit/],
    ['/api/calls?limit=', /limit/],
    ['/api/calls?limit=1.5', /limit/],
    ['/api/calls?limit=0x10', /limit/],
    ['/api/calls?limit=-1', /limit/],
    ['/api/calls?limit=1&limit=2', /limit is there twice/],
    ['/api/calls?before=soon', /before: .*"soon"/],
    ['/api/calls?before=9999999999999999', /before/],
    ['/api/calls?call=x', /unknown parameter "call"; known: limit, before/],
    ['/api/calls/x?limit=1', /unknown parameter "limit"; known: none/],
    ['/api/calls/%zz', /percent-encoded/],
    ['/api/calls/%ff', /percent-encoded/],
    [`/api/calls/${'x'.repeat(513)}`, /1 to 512 characters/],
    ['/api/turns?call=', /1 to 512 characters/],
    ['/api/turns?__proto__=1', /unknown parameter "__proto__"/],
  ])('%s', async (path, message) => {
    const { status, text } = await getRaw(path);
    expect(status).toBe(400);
    expect((JSON.parse(text) as Document).error).toMatch(message);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s', async (method) => {
    for (const path of ['/api/calls', `/api/calls/${store.run}-1`, '/api/turns', '/metrics']) {
      const { status, allow, text } = await getRaw(path, method);
      expect([status, allow]).toEqual([405, 'GET, HEAD']);
      expect((JSON.parse(text) as Document).error).toContain(method);
    }
  });

  it('is never one that brings the server down, whatever is in it', async () => {
    const random = new SeededRandom(printedSeed('query parameters'));
    const words = [
      'limit',
      'before',
      'call',
      '=',
      '&',
      '?',
      '/',
      '%',
      '%2',
      '%00',
      "'",
      '"',
      '-1',
      '1',
      '1e9',
      ';',
      '+',
      '__proto__',
      '7',
    ];
    for (let attempt = 0; attempt < 400; attempt++) {
      const length = random.integer(0, 8);
      const tail = Array.from({ length }, () => random.pick(words)).join('');
      const path = `${random.pick(['/api/calls', '/api/calls/', '/api/turns', '/api/turns?', '/api/calls?'])}${tail}`;
      const { status, text } = await getRaw(path);
      expect([200, 400, 404], path).toContain(status);
      const { calls, turns, error } = JSON.parse(text) as Document;
      expect(calls ?? turns ?? error, path).toBeDefined();
      expect(Math.max(calls?.length ?? 0, turns?.length ?? 0)).toBeLessThanOrEqual(MAX_PAGE);
    }
    expect((await get('/api/calls?limit=200')).body.calls).toHaveLength(CALLS);
  });
});

it('HEAD has the head of GET', async () => {
  expect(await getRaw('/api/calls', 'HEAD')).toMatchObject({ status: 200, text: '' });
});

it('no more than a page at once, whatever there is', async () => {
  for (let turnId = 1; turnId <= MAX_PAGE + 5; turnId++)
    store.keepTurn(turnReport({ callId: 999, sipCallId: 'long', turnId }));
  await store.written();
  const { body } = await get(`/api/turns?call=long&limit=${MAX_PAGE}`);
  expect(body.turns).toHaveLength(MAX_PAGE);
  expect((await get(`/api/turns?call=long&before=${body.next}`)).body.turns).toHaveLength(5);
});

describe('without a store that answers', () => {
  async function serve(calls: Parameters<typeof startStatusServer>[2]): Promise<StatusServer> {
    return startStatusServer({ bindAddress: '127.0.0.1', port: 0 }, SOURCE, calls);
  }

  it('where none is kept, says how to keep calls', async () => {
    const without = await serve(null);
    for (const path of ['/api/calls', '/api/calls/x', '/api/turns']) {
      const { status, body } = await get(path, without.port);
      expect(status).toBe(404);
      expect(body.error).toContain('store.enabled=true');
    }
    await without.close();
  });

  it('while it cannot, asks to come again', async () => {
    const failing = await serve({
      read: () => Promise.reject(new WildfireError('STORE_UNAVAILABLE', 'locked', { retryable: true })),
    });
    const response = await fetch(`http://127.0.0.1:${failing.port}/api/turns`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toEqual({ error: 'locked' });
    await failing.close();
  });
});
