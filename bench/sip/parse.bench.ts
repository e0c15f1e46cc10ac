/**
 * sip.parseInvite: what one INVITE costs from datagram to parsed message, by us (screening, grammar with its table kept,
 * fast readers), by sip.js as shipped and by npm's `sip`, in the same run. Also an INVITE that the fast readers leave to
 * the grammar, a hostile one, and the screening alone.
 */
import sip from 'sip';
import { Grammar, LoggerFactory, Parser } from 'sip.js/lib/core/index.js';
import { Bench } from 'tinybench';
import { screenDatagram } from '../../src/sip/datagram-screen.ts';
import { applySipJsPatches } from '../../src/sip/sip-js-patches.ts';
import type { BenchResult } from '../bench-row.ts';
import { taskRows } from '../tinybench-rows.ts';

const PLAIN = inviteBytes('"Alice" <sip:alice@192.0.2.1>;tag=1928301774', '<sip:alice@192.0.2.1:5060>');
const UNUSUAL = inviteBytes(
  'sip:%61lice@192.0.2.1;tag=19;x="y z"',
  '"A" <sip:alice@192.0.2.1?a=b>;q=0.5;+g="<urn>"',
);
const HOSTILE = inviteBytes(`"${'\\"'.repeat(900)}" <sip:a@192.0.2.1>;tag=1`, '<sip:alice@192.0.2.1:5060>');
const MEASURED_MS = 1000;

const factory = new LoggerFactory();
factory.builtinEnabled = false;
const logger = factory.getLogger('bench');

/** For bench/main.ts. */
export async function benchRows(): Promise<BenchResult> {
  const shippedParse = Grammar.parse;
  applySipJsPatches();
  const ourParse = Grammar.parse;
  const using = (parse: typeof Grammar.parse) => ({
    beforeEach: () => {
      Grammar.parse = parse;
    },
  });
  const bench = new Bench({ time: MEASURED_MS, warmupTime: 200, retainSamples: true });
  bench.add('sip.js', () => void parseOrThrow(PLAIN.toString('latin1')), using(shippedParse));
  bench.add('sip', () => {
    if (sip.parse(PLAIN.toString('latin1')) === undefined) throw new Error('not parsed by npm sip');
  });
  bench.add('sip.parseInvite', () => screenAndParse(PLAIN), using(ourParse));
  bench.add('sip.parseInvite.unusual', () => screenAndParse(UNUSUAL), using(ourParse));
  bench.add('sip.parseInvite.hostile', () => screenAndParse(HOSTILE), using(ourParse));
  bench.add('sip.screenInvite', () => void screenDatagram(PLAIN));
  await bench.run();
  const peers = { 'sip.js': 'sip.js', sip: 'sip' };
  return {
    rows: [
      ...taskRows(bench, { name: 'sip.parseInvite', unit: 'us', peers }),
      ...['sip.parseInvite.unusual', 'sip.parseInvite.hostile', 'sip.screenInvite'].flatMap((name) =>
        taskRows(bench, { name, unit: 'us' }),
      ),
    ],
  };
}

function screenAndParse(bytes: Buffer): void {
  const screened = screenDatagram(bytes);
  if (screened.kind !== 'passed') throw new Error(`not passed: ${screened.kind}`);
  parseOrThrow(screened.headText);
}

function parseOrThrow(text: string): void {
  if (Parser.parseMessage(text, logger) === undefined) throw new Error('not parsed');
}

/** An INVITE of 12 header lines with SDP, as a trunk sends it. */
function inviteBytes(from: string, contact: string): Buffer {
  const sdp =
    'v=0\r\no=u 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 6000 RTP/AVP 0 8 101\r\n';
  const lines = [
    'INVITE sip:+441234567@192.0.2.2:5060 SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport',
    'Max-Forwards: 70',
    `From: ${from}`,
    'To: <sip:+441234567@192.0.2.2>',
    'Call-ID: a84b4c76e66710@192.0.2.1',
    'CSeq: 314159 INVITE',
    `Contact: ${contact}`,
    'User-Agent: bench',
    'Allow: INVITE, ACK, CANCEL, OPTIONS, BYE',
    'Supported: timer',
    'Content-Type: application/sdp',
    `Content-Length: ${sdp.length}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${sdp}`, 'latin1');
}
