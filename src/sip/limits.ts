/**
 * What the SIP side accepts before any parser runs, and how much it remembers. A parser's cost grows with
 * hostile input (60 kB of quoted display name cost sip.js 228 ms), so size is judged first.
 * Thread: main.
 */

/** Largest datagram read; a bigger one is dropped unread. An INVITE with SDP is 0.8 to 2 kB. */
export const MAX_DATAGRAM_BYTES = 8192;

/** Most header lines in a message (a real one has 10 to 30). */
export const MAX_HEADER_LINES = 100;

/** Longest header line after unfolding; the largest real ones are Identity tokens of about 1.5 kB. */
export const MAX_LINE_BYTES = 2048;

/**
 * Most addresses in Contact and Record-Route together (a real INVITE has 1 to 6). A list costs the grammar 25 us
 * an entry: 8 kB of them would take 12 ms.
 */
export const MAX_LISTED_ADDRESSES = 40;

/** Largest CSeq number, RFC 3261 section 8.1.1.5. */
export const MAX_CSEQ = 2 ** 31 - 1;

/** Largest Max-Forwards, RFC 3261 section 20.22. */
export const MAX_MAX_FORWARDS = 255;

/** Largest delta-seconds (Expires, Retry-After), RFC 3261 section 20.19. */
export const MAX_DELTA_SECONDS = 2 ** 32 - 1;

/**
 * Most transactions kept, finished ones included (a call keeps two for 32 s). 10,000 is 156 calls per second
 * for ever, about 90 MB; beyond it new INVITEs get 503, and beyond twice that everything in dialogs but BYE.
 */
export const MAX_TRANSACTIONS = 10_000;

/** Most INVITEs that one source address may leave unanswered at once; beyond it they get 503. */
export const MAX_PENDING_INVITES_PER_SOURCE = 200;

/** Retry-After sent with a 503 for a full table. */
export const OVERLOAD_RETRY_AFTER_S = 5;
