/**
 * One message per test of RFC 4475, each with the fault or the oddity of its namesake (the wording is ours), and
 * what we do with it. `offered`: the owner gets the INVITE. A number: the response. `dropped`: counted, unanswered.
 */
import { requestText, SDP } from './sip-text.ts';

export interface TortureMessage {
  readonly name: string;
  /** Section of RFC 4475. */
  readonly section: string;
  readonly text: string;
  readonly outcome: 'offered' | 'dropped' | number;
  /** Counter, without `refused.` or `dropped.`. */
  readonly reason?: string;
}

const VIA = 'Via: SIP/2.0/UDP 127.0.0.1:5099;branch=z9hG4bK';
const LONG = 'a-long-value-'.repeat(20);

const VALID: readonly TortureMessage[] = [
  {
    name: 'wsinv',
    section: '3.1.1.1',
    outcome: 'offered',
    text: [
      'INVITE sip:vivek@chair.example.com;unknownparam SIP/2.0',
      'TO :',
      ' sip:vivek@chair.example.com',
      'from   : "J Rosenberg \\\\\\""       <sip:jdr@example.com>',
      '  ;',
      '  tag = 98asjd8',
      'MaX-fOrWaRdS: 0068',
      'Call-ID: wsinv.odd@192.0.2.1',
      'Content-Length   : 0',
      'cseq: 0009',
      '  INVITE',
      'Via  : SIP  /   2.0',
      ' /UDP',
      '    192.0.2.2;branch=390skdjuw',
      's :',
      'NewFangledHeader:   newfangled value',
      ' continued newfangled value',
      'UnknownHeaderWithUnusualValue: ;;,,;;,;',
      'Route:',
      ' <sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
      'v:  SIP  / 2.0  / TCP     spindle.example.com   ;',
      '  branch  =   z9hG4bK9ikj8  ,',
      ' SIP  /    2.0   / UDP  192.168.255.111   ; branch=',
      ' z9hG4bK30239',
      'm:"Quoted string \\"\\"" <sip:jdr@example.com> ; newparam =',
      '      newvalue ;',
      '  secondparam ; q = 0.33',
      '',
      '',
    ].join('\r\n'),
  },
  {
    name: 'intmeth',
    section: '3.1.1.2',
    outcome: 501,
    reason: 'unknown_method',
    text: requestText({
      method: "!interesting-Method0123456789_*+`.%indeed'~",
      uri: "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
      replace: {
        To: 'To: "BEL:\\\u0007 NUL:\\\u0000 DEL:\\\u007f" <sip:1_unusual@example.com>',
        Contact: null,
      },
    }),
  },
  {
    name: 'esc01',
    section: '3.1.1.3',
    outcome: 'offered',
    text: requestText({
      uri: 'sip:sips%3Auser%40example.com@example.net',
      replace: {
        To: 'To: sip:%75se%72@example.com',
        From: 'From: <sip:I%20have%20spaces@example.net>;tag=938',
        Contact: 'Contact: <sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31>',
      },
    }),
  },
  {
    name: 'escnull',
    section: '3.1.1.4',
    outcome: 405,
    reason: 'method',
    text: requestText({
      method: 'REGISTER',
      replace: { To: 'To: sip:null-%00-null@example.com', Contact: 'Contact: <sip:%00@host5.example.com>' },
      add: ['Contact: <sip:%00%00@host5.example.com>'],
    }),
  },
  {
    name: 'esc02',
    section: '3.1.1.5',
    outcome: 501,
    reason: 'unknown_method',
    text: requestText({ method: 'RE%47IST%45R' }),
  },
  {
    name: 'lwsdisp',
    section: '3.1.1.6',
    outcome: 200,
    text: requestText({
      method: 'OPTIONS',
      replace: { From: 'From: caller<sip:caller@example.com>;tag=323' },
    }),
  },
  {
    name: 'longreq',
    section: '3.1.1.7',
    outcome: 'offered',
    text: requestText({
      callId: `longreq.${LONG}`,
      branch: LONG,
      replace: {
        To: `To: "I have a user name of ${'extreme '.repeat(10)}proportion" <sip:user@example.com:6000;unknownparam1=${LONG};longparam${LONG}=shortvalue>`,
        From: `From: <sip:${LONG}@example.net>;tag=12${LONG};unknownheaderparam${LONG}=x`,
      },
      add: [
        `Unknown-${LONG}: unknown-${LONG}${LONG}`,
        ...Array.from({ length: 34 }, (_, at) => `Via: SIP/2.0/TCP sip${at}.example.com`),
      ],
    }),
  },
  {
    name: 'dblreq',
    section: '3.1.1.8',
    outcome: 200,
    text: requestText({ method: 'OPTIONS' }) + requestText({ method: 'INVITE' }),
  },
  {
    name: 'semiuri',
    section: '3.1.1.9',
    outcome: 200,
    text: requestText({
      method: 'OPTIONS',
      uri: 'sip:user;par=u%40example.net@example.com',
      replace: { To: 'To: sip:j_user@example.com', From: 'From: sip:caller@example.org;tag=33242' },
    }),
  },
  {
    name: 'transports',
    section: '3.1.1.10',
    outcome: 200,
    text: requestText({
      method: 'OPTIONS',
      add: ['SCTP', 'TLS', 'UNKNOWN', 'TCP'].map(
        (name) => `Via: SIP/2.0/${name} t.example.com;branch=z9hG4bK${name}`,
      ),
    }),
  },
  {
    name: 'mpart01',
    section: '3.1.1.11',
    outcome: 405,
    reason: 'method',
    text: requestText({
      method: 'MESSAGE',
      body: '--7a9\r\nContent-Type: text/plain\r\n\r\nHello\r\n--7a9--\r\n',
      replace: { 'Content-Type': 'Content-Type: multipart/mixed;boundary=7a9' },
    }),
  },
  {
    name: 'unreason',
    section: '3.1.1.12',
    outcome: 'dropped',
    reason: 'unmatched_response',
    text: responseText('200 = 2**3 * 5**2 \u00d0\u00bd\u00d0\u00be'),
  },
  {
    name: 'noreason',
    section: '3.1.1.13',
    outcome: 'dropped',
    reason: 'unmatched_response',
    text: responseText('100 '),
  },
];

const INVALID: readonly TortureMessage[] = [
  {
    name: 'badinv01',
    section: '3.1.2.1',
    outcome: 400,
    text: requestText({
      replace: {
        Via: 'Via: SIP/2.0/UDP 127.0.0.1:5099;;,;,,',
        To: 'To: "Joe" <sip:joe@example.org>;;;;',
        Contact: 'Contact: "Joe" <sip:joe@example.org>;;;;',
      },
    }),
  },
  {
    name: 'clerr',
    section: '3.1.2.2',
    outcome: 400,
    reason: 'short_body',
    text: requestText({ replace: { 'Content-Length': 'Content-Length: 9999' } }),
  },
  {
    name: 'ncl',
    section: '3.1.2.3',
    outcome: 400,
    reason: 'content_length_syntax',
    text: requestText({ replace: { 'Content-Length': 'Content-Length: -999' } }),
  },
  {
    name: 'scalar02',
    section: '3.1.2.4',
    outcome: 400,
    reason: 'cseq_range',
    text: requestText({
      method: 'REGISTER',
      replace: {
        CSeq: 'CSeq: 36893488147419103232 REGISTER',
        'Max-Forwards': 'Max-Forwards: 300',
        Contact: 'Contact: <sip:u@h>;expires=280297596632815',
      },
      add: ['Expires: 10000000000000000'],
    }),
  },
  {
    name: 'scalarlg',
    section: '3.1.2.5',
    outcome: 'dropped',
    reason: 'cseq_range',
    text: responseText('503 Service Unavailable', '9292394834772304023312 OPTIONS', [
      'Retry-After: 949302838503028349304023988',
    ]),
  },
  {
    name: 'quotbal',
    section: '3.1.2.6',
    outcome: 400,
    reason: 'grammar',
    text: requestText({ replace: { To: 'To: "Mr. J. User <sip:j.user@example.com>' } }),
  },
  {
    name: 'ltgtruri',
    section: '3.1.2.7',
    outcome: 400,
    reason: 'grammar',
    text: requestText({ uri: '<sip:user@example.com>' }),
  },
  {
    name: 'lwsruri',
    section: '3.1.2.8',
    outcome: 400,
    reason: 'start_line',
    text: requestText({ uri: 'sip:user@example.com; lr' }),
  },
  {
    name: 'lwsstart',
    section: '3.1.2.9',
    outcome: 400,
    reason: 'start_line',
    text: requestText({ uri: ' sip:user@example.com ' }),
  },
  {
    name: 'trws',
    section: '3.1.2.10',
    outcome: 400,
    reason: 'start_line',
    text: requestText({ method: 'OPTIONS' }).replace('SIP/2.0\r\n', 'SIP/2.0  \r\n'),
  },
  {
    name: 'escruri',
    section: '3.1.2.11',
    outcome: 400,
    reason: 'uri_headers',
    text: requestText({ uri: 'sip:user@example.com?Route=%3Csip:example.com%3E' }),
  },
  {
    name: 'baddate',
    section: '3.1.2.12',
    outcome: 'offered',
    text: requestText({ add: ['Date: Fri, 01 Jan 2010 16:00:00 EST'] }),
  },
  {
    name: 'regbadct',
    section: '3.1.2.13',
    outcome: 405,
    reason: 'method',
    text: requestText({
      method: 'REGISTER',
      replace: { Contact: 'Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E' },
    }),
  },
  {
    name: 'badaspec',
    section: '3.1.2.14',
    outcome: 400,
    reason: 'grammar',
    text: requestText({
      method: 'OPTIONS',
      replace: { To: 'To: "Watson, Thomas" < sip:t.watson@example.org >' },
    }),
  },
  {
    name: 'baddn',
    section: '3.1.2.15',
    outcome: 400,
    reason: 'grammar',
    text: requestText({
      method: 'OPTIONS',
      replace: { From: 'From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43' },
    }),
  },
  {
    name: 'badvers',
    section: '3.1.2.16',
    outcome: 505,
    reason: 'bad_version',
    text: requestText({ method: 'OPTIONS' }).replace('SIP/2.0\r\n', 'SIP/7.0\r\n'),
  },
  {
    name: 'mismatch01',
    section: '3.1.2.17',
    outcome: 400,
    reason: 'cseq_method',
    text: requestText({ method: 'OPTIONS', replace: { CSeq: 'CSeq: 8 INVITE' } }),
  },
  {
    name: 'mismatch02',
    section: '3.1.2.18',
    outcome: 400,
    reason: 'cseq_method',
    text: requestText({ method: 'NEWMETHOD', replace: { CSeq: 'CSeq: 8 INVITE' } }),
  },
  {
    name: 'bigcode',
    section: '3.1.2.19',
    outcome: 'dropped',
    reason: 'start_line',
    text: responseText('4294967301 better not break the receiver'),
  },
];

const SEMANTIC: readonly TortureMessage[] = [
  {
    name: 'badbranch',
    section: '3.2.1',
    outcome: 200,
    text: requestText({ method: 'OPTIONS', replace: { Via: `${VIA};rport` } }),
  },
  {
    name: 'insuf',
    section: '3.3.1',
    outcome: 400,
    reason: 'missing_from',
    text: requestText({ replace: { From: null, To: null, 'Call-ID': null } }),
  },
  {
    name: 'unkscm',
    section: '3.3.2',
    outcome: 416,
    reason: 'uri_scheme',
    text: requestText({ method: 'OPTIONS', uri: 'nobodyKnowsThisScheme:totallyopaquecontent' }),
  },
  {
    name: 'novelsc',
    section: '3.3.3',
    outcome: 416,
    reason: 'uri_scheme',
    text: requestText({ method: 'OPTIONS', uri: 'soap.beep://192.0.2.103:3002' }),
  },
  {
    name: 'unksm2',
    section: '3.3.4',
    outcome: 405,
    reason: 'method',
    text: requestText({
      method: 'REGISTER',
      replace: { To: 'To: isbn:2983792873', From: 'From: <http://www.example.com>;tag=3' },
    }),
  },
  {
    name: 'bext01',
    section: '3.3.5',
    outcome: 420,
    reason: 'extension',
    text: requestText({
      method: 'OPTIONS',
      add: ['Require: nothingSupportsThis, nothingSupportsThisEither', 'Proxy-Require: noProxiesSupportThis'],
    }),
  },
  {
    name: 'invut',
    section: '3.3.6',
    outcome: 415,
    reason: 'content_type',
    text: requestText({ replace: { 'Content-Type': 'Content-Type: application/unknownformat' } }),
  },
  {
    name: 'regaut01',
    section: '3.3.7',
    outcome: 405,
    reason: 'method',
    text: requestText({ method: 'REGISTER', add: ['Authorization: NoOneKnowsThisScheme opaque-data=here'] }),
  },
  {
    name: 'multi01',
    section: '3.3.8',
    outcome: 400,
    reason: 'duplicate_from',
    text: requestText({ add: ['From: sip:other@example.net;tag=2', 'CSeq: 99 INVITE', 'Call-ID: second'] }),
  },
  {
    name: 'mcl01',
    section: '3.3.9',
    outcome: 400,
    reason: 'duplicate_content_length',
    text: requestText({ method: 'OPTIONS', add: ['Content-Length: 5'] }),
  },
  {
    name: 'bcast',
    section: '3.3.10',
    outcome: 'dropped',
    reason: 'unmatched_response',
    text: responseText('200 OK', '1 INVITE', ['Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23']),
  },
  {
    name: 'zeromf',
    section: '3.3.11',
    outcome: 200,
    text: requestText({ method: 'OPTIONS', replace: { 'Max-Forwards': 'Max-Forwards: 0' } }),
  },
  {
    name: 'cparam01',
    section: '3.3.12',
    outcome: 405,
    reason: 'method',
    text: requestText({
      method: 'REGISTER',
      replace: { Contact: 'Contact: sip:user@example.com;unknownparam' },
    }),
  },
  {
    name: 'cparam02',
    section: '3.3.13',
    outcome: 405,
    reason: 'method',
    text: requestText({
      method: 'REGISTER',
      replace: { Contact: 'Contact: <sip:user@example.com;unknownparam>' },
    }),
  },
  {
    name: 'regescrt',
    section: '3.3.14',
    outcome: 405,
    reason: 'method',
    text: requestText({
      method: 'REGISTER',
      replace: { Contact: 'Contact: <sip:user@example.com?Route=%3Csip:sip.example.com%3E>' },
    }),
  },
  {
    name: 'sdp01',
    section: '3.3.15',
    outcome: 406,
    reason: 'accept',
    text: requestText({ add: ['Accept: text/nobodyKnowsThis'] }),
  },
  {
    name: 'inv2543',
    section: '3.4.1',
    outcome: 'offered',
    text: requestText({
      uri: 'sip:UserB@example.com',
      replace: {
        Via: 'Via: SIP/2.0/UDP iftgw.example.com',
        'Max-Forwards': null,
        From: 'From: <sip:+13035551111@ift.client.example.net;user=phone>',
        To: 'To: sip:+16505552222@ss1.example.net;user=phone',
      },
      add: ['Record-Route: <sip:UserB@example.com;maddr=ss1.example.com>'],
    }),
  },
];

export const TORTURE_MESSAGES: readonly TortureMessage[] = [...VALID, ...INVALID, ...SEMANTIC];

function responseText(status: string, cseq = '1 OPTIONS', add: readonly string[] = []): string {
  const lines = [
    `SIP/2.0 ${status}`,
    `${VIA}8d23`,
    ...add,
    'From: sip:user@example.com;tag=2',
    'To: sip:user@example.org;tag=3',
    'Call-ID: response.1',
    `CSeq: ${cseq}`,
    'Content-Length: 0',
    'Contact: <sip:user@host.example.com>',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Messages of the same kind that RFC 4475 does not have. */
export const MORE_MESSAGES: readonly TortureMessage[] = [
  {
    name: 'response with an unreadable CSeq (found by fuzzing)',
    section: '-',
    outcome: 'dropped',
    reason: 'grammar',
    text: responseText('200 OK', '1 INVI"TE'),
  },
  {
    name: 'too many addresses',
    section: '-',
    outcome: 400,
    reason: 'too_many_addresses',
    text: requestText({ add: [`Record-Route: ${Array.from({ length: 60 }, () => '<sip:a;lr>').join(',')}`] }),
  },
  { name: 'empty datagram', section: '-', outcome: 'dropped', reason: 'none', text: '' },
  { name: 'noise', section: '-', outcome: 'dropped', reason: 'no_header_end', text: 'hello\r\n' },
  {
    name: 'too large',
    section: '-',
    outcome: 'dropped',
    reason: 'too_large',
    text: requestText({ add: Array.from({ length: 90 }, () => `X: ${'y'.repeat(90)}`) }),
  },
  {
    name: 'too many headers',
    section: '-',
    outcome: 400,
    reason: 'too_many_headers',
    text: requestText({ add: Array.from({ length: 120 }, () => 'X: y') }),
  },
  {
    name: 'line too long',
    section: '-',
    outcome: 400,
    reason: 'line_too_long',
    text: requestText({ add: [`X: ${'y'.repeat(3000)}`] }),
  },
  {
    name: 'line feed alone',
    section: '-',
    outcome: 'dropped',
    reason: 'bare_line_break',
    text: requestText({ add: ['X: a\nVia: b'] }),
  },
  {
    name: 'header without colon',
    section: '-',
    outcome: 400,
    reason: 'header_syntax',
    text: requestText({ add: ['no colon here'] }),
  },
  {
    name: 'ACK to nothing',
    section: '-',
    outcome: 'dropped',
    reason: 'stray_ack',
    text: requestText({ method: 'ACK', toTag: 'x' }),
  },
  {
    name: 'broken ACK',
    section: '-',
    outcome: 'dropped',
    reason: 'cseq_method',
    text: requestText({ method: 'ACK', replace: { CSeq: 'CSeq: 1 INVITE' } }),
  },
  {
    name: 'no Via',
    section: '-',
    outcome: 'dropped',
    reason: 'missing_via',
    text: requestText({ replace: { Via: null } }),
  },
  {
    name: 'no Max-Forwards',
    section: '-',
    outcome: 400,
    reason: 'missing_max_forwards',
    text: requestText({ replace: { 'Max-Forwards': null } }),
  },
  {
    name: 'Max-Forwards 0',
    section: '-',
    outcome: 483,
    reason: 'max_forwards',
    text: requestText({ replace: { 'Max-Forwards': 'Max-Forwards: 0' } }),
  },
  {
    name: 'no Contact',
    section: '-',
    outcome: 400,
    reason: 'contact',
    text: requestText({ replace: { Contact: null } }),
  },
  {
    name: 'two Contacts',
    section: '-',
    outcome: 400,
    reason: 'contacts',
    text: requestText({ add: ['Contact: <sip:b@127.0.0.1>'] }),
  },
  {
    name: 'Contact star',
    section: '-',
    outcome: 400,
    reason: 'grammar',
    text: requestText({ replace: { Contact: 'Contact: *' } }),
  },
  {
    name: 'body without type',
    section: '-',
    outcome: 400,
    reason: 'content_type',
    text: requestText({ replace: { 'Content-Type': null } }),
  },
  {
    name: 'compressed body',
    section: '-',
    outcome: 415,
    reason: 'content_encoding',
    text: requestText({ add: ['Content-Encoding: gzip'] }),
  },
  {
    name: 'required 100rel',
    section: '-',
    outcome: 420,
    reason: 'extension',
    text: requestText({ add: ['Require: 100rel'] }),
  },
  {
    name: 'sips URI',
    section: '-',
    outcome: 416,
    reason: 'uri_scheme',
    text: requestText({ uri: 'sips:bob@127.0.0.1' }),
  },
  {
    name: 'tel URI',
    section: '-',
    outcome: 416,
    reason: 'uri_scheme',
    text: requestText({ uri: 'tel:+441234' }),
  },
  {
    name: 'BYE out of any dialog',
    section: '-',
    outcome: 481,
    reason: 'no_dialog',
    text: requestText({ method: 'BYE', toTag: 'x' }),
  },
  {
    name: 're-INVITE out of any dialog',
    section: '-',
    outcome: 481,
    reason: 'no_dialog',
    text: requestText({ toTag: 'x' }),
  },
  {
    name: 'CANCEL of nothing',
    section: '-',
    outcome: 481,
    reason: 'no_transaction',
    text: requestText({ method: 'CANCEL' }),
  },
  {
    name: 'SUBSCRIBE',
    section: '-',
    outcome: 489,
    reason: 'event',
    text: requestText({ method: 'SUBSCRIBE', add: ['Event: presence'] }),
  },
  {
    name: 'NOTIFY',
    section: '-',
    outcome: 481,
    reason: 'no_subscription',
    text: requestText({ method: 'NOTIFY', add: ['Event: presence'] }),
  },
  { name: 'late offer', section: '-', outcome: 'offered', text: requestText({ body: '' }) },
  {
    name: 'SDP type with parameter',
    section: '-',
    outcome: 'offered',
    text: requestText({ replace: { 'Content-Type': 'c: Application/SDP;charset=utf-8' } }),
  },
  {
    name: 'body longer than Content-Length',
    section: '-',
    outcome: 'offered',
    text: `${requestText()}${SDP}`,
  },
  {
    name: 'no Content-Length',
    section: '-',
    outcome: 'offered',
    text: requestText({ replace: { 'Content-Length': null } }),
  },
];
