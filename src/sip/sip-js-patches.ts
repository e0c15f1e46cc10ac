/**
 * What sip.js 0.21.2 lacks on UDP, added at run time; no file in node_modules is touched.
 *
 * sip.js was written for WebSocket, a reliable transport, so its transactions never send anything twice and
 * forget a finished transaction at once. This file, and no other, reaches into it:
 *   1. timers D, I, J, K get the lengths RFC 3261 gives them for unreliable transports (table 4);
 *   2. timers A (INVITE), E (other requests) and G (non-2xx final responses) resend;
 *   3. branch parameters become unguessable (sip.js draws one of ten million, enough to collide and to spoof);
 *   4. the methods we name in Allow are those we answer;
 *   5. a user part that is not valid percent-encoding no longer throws when a URI is printed;
 *   6. the grammar decodes its table once instead of once per header field (1.3 ms -> 0.2 ms per message), and
 *      the common shapes of the common headers do not go through it at all (fast-headers.ts).
 * Each patched function is compared with the fingerprint of the text it was written against; another sip.js
 * stops the start with a clear error instead of half-working. Thread: main, once, before the first message.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  Grammar,
  InviteClientTransaction,
  InviteServerTransaction,
  NameAddrHeader,
  NonInviteClientTransaction,
  Timers,
  Transaction,
  TransactionState,
  URI,
} from 'sip.js/lib/core/index.js';
import { ClientTransaction } from 'sip.js/lib/core/transactions/client-transaction.js';
import { AllowedMethods } from 'sip.js/lib/core/user-agent-core/allowed-methods.js';
import {
  SyntaxError as GrammarError,
  parse as parseByGrammar,
} from 'sip.js/lib/grammar/pegjs/dist/grammar.js';
import { WildfireError } from '../errors.ts';
import { parseFast } from './fast-headers.ts';

/** Methods we act on; the Allow header of every response. */
export const ALLOWED_METHODS = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'INFO'] as const;

/** Round-trip estimate; every other SIP timer is a multiple of it. RFC 3261 section 17.1.1.1. */
export const T1_MS = 500;

/** SHA-256 (first 12 digits) of the source text of each function patched or replaced below. */
const EXPECTED_FINGERPRINTS: Readonly<Record<string, string>> = {
  'grammar.parse': 'f6edf2d8f77e',
  'Grammar.parse': 'b3b9a1a1626e',
  'URI.escapeUser': '2be5de332822',
  'ClientTransaction.makeId': 'a290b9357378',
  'InviteServerTransaction.stateTransition': '411d6db5c311',
  'InviteServerTransaction.timerG': '8385b06b084e',
  'NonInviteClientTransaction.timerF': 'f75e0bbb06e6',
  NonInviteClientTransaction: 'eb9246e752f3',
  'InviteClientTransaction.timerA': '2793986ee30b',
  InviteClientTransaction: 'd01c7506c103',
  'Transaction.send': '5c4e73ae21cf',
};

/** A transaction seen from inside; these members are private or protected in sip.js's types. */
interface TransactionInside {
  readonly state: TransactionState;
  readonly lastFinalResponse?: string;
  send(message: string): Promise<void>;
  dispose(): void;
  stateTransition(state: TransactionState, dueToTransportError?: boolean): void;
}

let isApplied = false;

/** Applies all patches; further calls do nothing. @throws WildfireError INVALID_STATE for an unknown sip.js. */
export function applySipJsPatches(): void {
  if (isApplied) return;
  verifyFingerprints();
  isApplied = true;
  setTimerBase(T1_MS);
  resendRequests(InviteClientTransaction.prototype, 'invite');
  resendRequests(NonInviteClientTransaction.prototype, 'other');
  resendFinalResponses();
  clientTransactionInside().makeId = makeBranch;
  AllowedMethods.splice(0, AllowedMethods.length, ...ALLOWED_METHODS);
  uriInside().escapeUser = escapeUser;
  speedUpGrammar();
}

/** Sets T1 and all that follows from it; other values than `T1_MS` are for tests on a fast link. */
export function setTimerBase(t1Ms: number): void {
  const t4Ms = 10 * t1Ms;
  Object.assign(Timers, {
    T1: t1Ms,
    T2: 8 * t1Ms,
    T4: t4Ms,
    TIMER_B: 64 * t1Ms,
    TIMER_D: 64 * t1Ms,
    TIMER_F: 64 * t1Ms,
    TIMER_H: 64 * t1Ms,
    TIMER_I: t4Ms,
    TIMER_J: 64 * t1Ms,
    TIMER_K: t4Ms,
    TIMER_L: 64 * t1Ms,
    TIMER_M: 64 * t1Ms,
    TIMER_N: 64 * t1Ms,
  });
}

/** Every function that this file replaces or leans on, by name. */
function patchedFunctions(): Record<string, unknown> {
  const inviteClient = InviteClientTransaction.prototype as unknown as Record<string, unknown>;
  const otherClient = NonInviteClientTransaction.prototype as unknown as Record<string, unknown>;
  const inviteServer = InviteServerTransaction.prototype as unknown as Record<string, unknown>;
  return {
    'Transaction.send': (Transaction.prototype as unknown as Record<string, unknown>).send,
    InviteClientTransaction,
    'InviteClientTransaction.timerA': inviteClient.timerA,
    NonInviteClientTransaction,
    'NonInviteClientTransaction.timerF': otherClient.timerF,
    'InviteServerTransaction.timerG': inviteServer.timerG,
    'InviteServerTransaction.stateTransition': inviteServer.stateTransition,
    'ClientTransaction.makeId': clientTransactionInside().makeId,
    'URI.escapeUser': uriInside().escapeUser,
    'Grammar.parse': Grammar.parse,
    'grammar.parse': parseByGrammar,
  };
}

function verifyFingerprints(): void {
  for (const [name, subject] of Object.entries(patchedFunctions())) {
    const found = createHash('sha256').update(String(subject)).digest('hex').slice(0, 12);
    if (found !== EXPECTED_FINGERPRINTS[name]) {
      throw new WildfireError(
        'INVALID_STATE',
        `sip.js is not the version src/sip/sip-js-patches.ts was written for: ${name} is ${found}; run npm ci`,
      );
    }
  }
}

function clientTransactionInside(): { makeId: typeof makeBranch } {
  return ClientTransaction as unknown as { makeId: typeof makeBranch };
}

function uriInside(): { escapeUser: (user: string) => string } {
  return URI.prototype as unknown as { escapeUser: (user: string) => string };
}

/** Keeps what RFC 3261 allows in a user part, valid escapes included, and escapes the rest. Never throws. */
function escapeUser(user: string): string {
  return user.replace(/%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-_.!~*'()&=+$,;?/%:]/g, (char) => {
    return Array.from(Buffer.from(char, 'utf8'), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  });
}

function makeBranch(request: { method: string; branch?: string }): string {
  if (request.method !== 'CANCEL') return `z9hG4bK${randomBytes(9).toString('base64url')}`;
  if (request.branch === undefined) throw new Error('Outgoing CANCEL request without a branch.');
  return request.branch;
}

/** Running resend timers, by transaction; gone with it. */
const resendTimers = new WeakMap<object, NodeJS.Timeout>();

/**
 * Timer A (section 17.1.1.2: doubles, only until the first response) and timer E (section 17.1.2.2: doubles up
 * to T2, T2 while proceeding). The first `send` of a client transaction is its request, in the constructor.
 */
function resendRequests(prototype: object, kind: 'invite' | 'other'): void {
  const inside = prototype as TransactionInside;
  const { send, dispose } = inside;
  const waiting: readonly TransactionState[] =
    kind === 'invite' ? [TransactionState.Calling] : [TransactionState.Trying, TransactionState.Proceeding];

  inside.send = function (this: TransactionInside, message: string) {
    if (waiting.includes(this.state) && !resendTimers.has(this)) schedule(this, message, Timers.T1);
    return send.call(this, message);
  };
  inside.dispose = function (this: TransactionInside) {
    stopResending(this);
    dispose.call(this);
  };

  function schedule(transaction: TransactionInside, message: string, waitMs: number): void {
    const timer = setTimeout(() => {
      if (!waiting.includes(transaction.state)) return;
      send.call(transaction, message).catch(ignoreReported);
      const isProceeding = transaction.state === TransactionState.Proceeding;
      const next =
        kind === 'invite' ? waitMs * 2 : isProceeding ? Timers.T2 : Math.min(waitMs * 2, Timers.T2);
      schedule(transaction, message, next);
    }, waitMs);
    resendTimers.set(transaction, timer);
  }
}

/** Timer G, section 17.2.1: a final response other than 2xx is sent again until its ACK comes. */
function resendFinalResponses(): void {
  const inside = InviteServerTransaction.prototype as unknown as TransactionInside;
  const { send, dispose, stateTransition } = inside;

  inside.stateTransition = function (this: TransactionInside, state: TransactionState) {
    stateTransition.call(this, state);
    stopResending(this);
    if (state === TransactionState.Completed) schedule(this, Timers.T1);
  };
  inside.dispose = function (this: TransactionInside) {
    stopResending(this);
    dispose.call(this);
  };

  function schedule(transaction: TransactionInside, waitMs: number): void {
    const timer = setTimeout(() => {
      if (transaction.state !== TransactionState.Completed) return;
      send.call(transaction, transaction.lastFinalResponse ?? '').catch(ignoreReported);
      schedule(transaction, Math.min(waitMs * 2, Timers.T2));
    }, waitMs);
    resendTimers.set(transaction, timer);
  }
}

function stopResending(transaction: object): void {
  clearTimeout(resendTimers.get(transaction));
  resendTimers.delete(transaction);
}

/** Transaction.send has already told the transaction's user; nobody waits for this promise. */
function ignoreReported(): void {}

/**
 * Puts the fast readers in front of the grammar, and rebuilds the grammar's parser with its table kept. The
 * parser is one function whose `peg$decode("...")` calls sit in an array literal that never changes; wrapping
 * that literal is the whole edit.
 */
function speedUpGrammar(): void {
  const source = parseByGrammar.toString();
  const edited = source
    .replace('const peg$bytecode = [', 'const peg$bytecode = kept.table ??= [')
    .replace(/^function peg\$parse/, '"use strict"; return function peg$parse');
  if (!edited.includes('kept.table ??=') || !edited.startsWith('"use strict"; return')) {
    throw new WildfireError('INVALID_STATE', 'sip.js grammar cannot be edited: its text is not as expected');
  }
  const build = new Function('NameAddrHeader', 'URI', 'SyntaxError', 'kept', edited);
  const parse = build(NameAddrHeader, URI, GrammarError, {}) as typeof parseByGrammar;
  Grammar.parse = (input: string, startRule: string): unknown => {
    const fast = parseFast(input, startRule);
    return fast !== undefined ? fast : parseSlowly(parse, input, startRule);
  };
}

/** As Grammar.parse of sip.js: the rule's data, or -1. */
function parseSlowly(parse: typeof parseByGrammar, input: string, startRule: string): unknown {
  const options: { startRule: string; data?: unknown } = { startRule };
  try {
    parse(input, options);
  } catch {
    return -1; // not SIP grammar; the caller answers 400
  }
  return options.data;
}
