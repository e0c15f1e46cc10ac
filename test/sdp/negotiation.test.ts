/** Offer and answer as tables: what is offered, what we answer, what the media thread is told. */
import { describe, expect, it } from 'vitest';
import { answerOffer, makeOffer, type NegotiatedMedia, readAnswer } from '../../src/sdp/negotiation.ts';
import { parseSdp } from '../../src/sdp/session-description.ts';

const LOCAL = { address: '192.0.2.1', port: 20_000, sessionId: 7 };

/** An offer with these lines after the session's. */
function offer(lines: readonly string[], connection = 'IN IP4 198.51.100.5'): string {
  const head = ['v=0', 'o=- 1 1 IN IP4 198.51.100.5', 's=-', `c=${connection}`, 't=0 0'];
  return `${[...head, ...lines].join('\r\n')}\r\n`;
}

function agreed(sdp: string): NegotiatedMedia {
  const result = answerOffer(sdp, LOCAL);
  if ('reject' in result) throw new Error(`refused: ${result.reason}`);
  return result.media;
}

const AUDIO = 'm=audio 4000 RTP/AVP 0 8 101';
const PLAIN: NegotiatedMedia = {
  codec: 'PCMU',
  payloadType: 0,
  telephoneEventPayloadType: null,
  remote: { address: '198.51.100.5', port: 4000 },
  ptimeMs: 20,
  direction: 'sendrecv',
};

describe('an offer that we take', () => {
  it.each<[string, readonly string[], Partial<NegotiatedMedia>]>([
    ['static types without rtpmap', ['m=audio 4000 RTP/AVP 0'], {}],
    ['the offerer prefers PCMA', ['m=audio 4000 RTP/AVP 8 0'], { codec: 'PCMA', payloadType: 8 }],
    ['unknown codecs before ours', ['m=audio 4000 RTP/AVP 96 9 18 0', 'a=rtpmap:96 opus/48000/2'], {}],
    [
      'a dynamic type',
      ['m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 pcma/8000/1'],
      { codec: 'PCMA', payloadType: 97 },
    ],
    [
      'a static type mapped to something else',
      ['m=audio 4000 RTP/AVP 0 8', 'a=rtpmap:0 L16/8000'],
      { codec: 'PCMA', payloadType: 8 },
    ],
    ['telephone-event', [AUDIO, 'a=rtpmap:101 telephone-event/8000'], { telephoneEventPayloadType: 101 }],
    ['telephone-event at another clock', [AUDIO, 'a=rtpmap:101 telephone-event/48000'], {}],
    [
      'two telephone-events',
      [
        'm=audio 4000 RTP/AVP 0 96 97',
        'a=rtpmap:96 telephone-event/48000',
        'a=rtpmap:97 telephone-event/8000',
      ],
      { telephoneEventPayloadType: 97 },
    ],
    [
      'telephone-event that no format names',
      ['m=audio 4000 RTP/AVP 0', 'a=rtpmap:101 telephone-event/8000'],
      {},
    ],
    ['ptime 30', [AUDIO, 'a=ptime:30'], { ptimeMs: 30 }],
    ['ptime 10', [AUDIO, 'a=ptime:10'], { ptimeMs: 10 }],
    ['ptime 0', [AUDIO, 'a=ptime:0'], {}],
    ['ptime 25', [AUDIO, 'a=ptime:25'], {}],
    ['ptime huge', [AUDIO, 'a=ptime:99999999999'], {}],
    ['maxptime below our 20', [AUDIO, 'a=maxptime:10'], { ptimeMs: 10 }],
    ['maxptime below the asked ptime', [AUDIO, 'a=ptime:60', 'a=maxptime:45'], { ptimeMs: 40 }],
    ['hold', [AUDIO, 'a=sendonly'], { direction: 'recvonly' }],
    ['listening only', [AUDIO, 'a=recvonly'], { direction: 'sendonly' }],
    ['inactive', [AUDIO, 'a=inactive'], { direction: 'inactive' }],
    ['direction of the session', ['a=sendonly', AUDIO], { direction: 'recvonly' }],
    ['direction of the stream before that of the session', ['a=sendonly', AUDIO, 'a=sendrecv'], {}],
    ['old hold', [AUDIO, 'c=IN IP4 0.0.0.0'], { direction: 'recvonly', remote: null }],
    [
      'old hold, inactive',
      [AUDIO, 'c=IN IP4 0.0.0.0', 'a=recvonly'],
      { direction: 'inactive', remote: null },
    ],
    ['a host name', [AUDIO, 'c=IN IP4 media.example.com'], { remote: null }],
    [
      'the address of the stream',
      [AUDIO, 'c=IN IP4 203.0.113.9'],
      { remote: { address: '203.0.113.9', port: 4000 } },
    ],
    [
      'rtcp, mux, ice and crypto beside it',
      [AUDIO, 'a=rtcp:4001', 'a=rtcp-mux', 'a=ice-ufrag:x', 'a=crypto:1 AES x', 'b=AS:64'],
      {},
    ],
    ['AVPF', ['m=audio 4000 RTP/AVPF 0'], {}],
  ])('%s', (_name, lines, difference) => {
    expect(agreed(offer(lines))).toEqual({ ...PLAIN, ...difference });
  });

  it('is answered completely', () => {
    const result = answerOffer(offer([AUDIO, 'a=rtpmap:101 telephone-event/8000', 'a=sendonly']), LOCAL);
    expect('answer' in result && result.answer.split('\r\n')).toEqual([
      'v=0',
      'o=wildfire 7 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 20000 RTP/AVP 0 101',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-15',
      'a=ptime:20',
      'a=recvonly',
      '',
    ]);
  });

  it('keeps the place of every stream: the first usable audio is taken, the others get port 0', () => {
    const lines = [
      'm=video 5000 RTP/AVP 96',
      'm=audio 0 RTP/AVP 0',
      'm=audio 4000 RTP/SAVP 0',
      'm=audio 4002 RTP/AVP 8',
      'm=audio 4004 RTP/AVP 0',
      'm=image 5002 udptl t38',
    ];
    const result = answerOffer(offer(lines), LOCAL);
    expect('answer' in result && result.answer.split('\r\n').filter((line) => line.startsWith('m='))).toEqual(
      [
        'm=video 0 RTP/AVP 96',
        'm=audio 0 RTP/AVP 0',
        'm=audio 0 RTP/SAVP 0',
        'm=audio 20000 RTP/AVP 8',
        'm=audio 0 RTP/AVP 0',
        'm=image 0 udptl t38',
      ],
    );
  });

  it('may be narrowed by us', () => {
    const result = answerOffer(offer([AUDIO]), { ...LOCAL, direction: 'recvonly', codecs: ['PCMA'] });
    expect('media' in result && result.media).toMatchObject({ codec: 'PCMA', direction: 'recvonly' });
  });

  it('works with IPv6 on both sides', () => {
    const result = answerOffer(offer([AUDIO], 'IN IP6 2001:db8::5'), { ...LOCAL, address: '2001:db8::1' });
    expect('answer' in result && result.answer).toContain('c=IN IP6 2001:db8::1');
    expect('media' in result && result.media.remote?.address).toBe('2001:db8::5');
  });
});

describe('an offer that we refuse', () => {
  it.each<[string, string, number, string]>([
    ['nothing', '', 400, 'bad_sdp'],
    ['noise', 'hello', 400, 'bad_sdp'],
    ['no stream', offer([]), 488, 'no_audio'],
    ['no audio', offer(['m=video 4000 RTP/AVP 0']), 488, 'no_audio'],
    ['audio switched off', offer(['m=audio 0 RTP/AVP 0']), 488, 'no_audio'],
    ['other codecs only', offer(['m=audio 4000 RTP/AVP 9 18']), 488, 'no_common_codec'],
    [
      'telephone-event only',
      offer(['m=audio 4000 RTP/AVP 101', 'a=rtpmap:101 telephone-event/8000']),
      488,
      'no_common_codec',
    ],
    [
      'payload type out of range',
      offer(['m=audio 4000 RTP/AVP 200', 'a=rtpmap:200 PCMU/8000']),
      488,
      'no_common_codec',
    ],
    ['PCMU at 16 kHz', offer(['m=audio 4000 RTP/AVP 97', 'a=rtpmap:97 PCMU/16000']), 488, 'no_common_codec'],
    ['encrypted media only', offer(['m=audio 4000 RTP/SAVP 0']), 488, 'secure_media_only'],
    ['a foreign transport', offer(['m=audio 4000 TCP/RTP/AVP 0']), 488, 'no_audio'],
    ['multicast', offer([AUDIO], 'IN IP4 224.2.1.1/127'), 488, 'multicast'],
    ['the other address family', offer([AUDIO], 'IN IP6 2001:db8::5'), 488, 'address_family'],
    [
      'no connection line',
      'v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n',
      488,
      'no_connection',
    ],
    ['a thousand streams', offer(Array.from({ length: 1000 }, () => 'm=a 1 R 0')), 400, 'bad_sdp'],
  ])('%s', (_name, sdp, reject, reason) => {
    expect(answerOffer(sdp, LOCAL)).toEqual({ reject, reason });
  });
});

describe('our own offer', () => {
  it('is answered by ourselves', () => {
    const media = agreed(makeOffer({ address: '198.51.100.5', port: 4000 }));
    expect(media).toEqual({ ...PLAIN, telephoneEventPayloadType: 101 });
  });

  it('and the answer is read back', () => {
    const result = answerOffer(makeOffer({ address: '198.51.100.5', port: 4000, codecs: ['PCMA'] }), LOCAL);
    expect('answer' in result && readAnswer(result.answer)).toEqual({
      codec: 'PCMA',
      payloadType: 8,
      telephoneEventPayloadType: 101,
      remote: { address: '192.0.2.1', port: 20_000 },
      ptimeMs: 20,
      direction: 'sendrecv',
    });
  });

  it('on hold is answered recvonly, which we read as sendonly', () => {
    const result = answerOffer(makeOffer({ ...LOCAL, direction: 'sendonly' }), LOCAL);
    expect('answer' in result && readAnswer(result.answer).direction).toBe('sendonly');
  });

  it.each([
    ['unreadable', 'nonsense', 'SDP_INVALID'],
    ['audio refused', offer(['m=audio 0 RTP/AVP 0']), 'SDP_INVALID'],
    ['foreign codec', offer(['m=audio 4000 RTP/AVP 9']), 'SDP_NO_COMMON_CODEC'],
  ])('answered with something %s is an error with a code', (_name, sdp, code) => {
    expect(() => readAnswer(sdp)).toThrowError(expect.objectContaining({ code }));
  });
});

describe('parseSdp', () => {
  it.each([
    ['empty', '  ', 'empty'],
    ['too large', `v=0\n${'a=x\n'.repeat(3000)}`, 'too_large'],
    ['too many lines', `v=0\n${'a=x\n'.repeat(600)}`, 'too_many_lines'],
    ['another version', 'v=1\n', 'bad_version'],
    ['a line without type', 'v=0\nhello\n', 'bad_line'],
    ['an empty line inside', 'v=0\n\ns=-\n', 'bad_line'],
    ['a short origin', 'v=0\no=x\n', 'bad_origin'],
    ['a foreign network', 'v=0\nc=ATM NSAP 1\n', 'bad_connection'],
    ['a zone with a quote', 'v=0\nc=IN IP6 fe80::1%"\n', 'bad_connection'],
    ['a port out of range', 'v=0\nm=audio 99999 RTP/AVP 0\n', 'bad_media'],
    ['a port that is no number', 'v=0\nm=audio x RTP/AVP 0\n', 'bad_media'],
    ['no formats', 'v=0\nm=audio 1 RTP/AVP\n', 'bad_media'],
    ['too many formats', `v=0\nm=audio 1 RTP/AVP ${'0 '.repeat(100)}1\n`, 'bad_media'],
  ])('refuses %s', (_name, text, reason) => {
    expect(parseSdp(text)).toEqual({ ok: false, reason });
  });

  it('takes lines that end in LF alone, unknown lines and several addresses', () => {
    const parsed = parseSdp(
      'v=0\no=- 1 1 IN IP4 h\ns= \nz=0 0\nk=x\nc=IN IP4 1.2.3.4/127/3\nt=0 0\nm=audio 5/2 RTP/AVP 0\n\n\n',
    );
    expect(parsed).toMatchObject({
      ok: true,
      session: { media: [{ port: 5, connection: { address: '1.2.3.4' } }] },
    });
  });
});
