/**
 * eSpeak NG (compiled to JavaScript, package phonemizer) on a leash. Thread: TTS worker; a call blocks it for 3 to 20 ms
 * per sentence once warm, 300 ms the first time. Everything that needs phonemes must load it through here.
 * Why a leash: on import the package installs process-wide uncaughtException and unhandledRejection listeners
 * that rethrow; they would decide how the whole worker dies, so exactly those two are taken off again.
 */

/** English only: the package ships no other language. */
export type Phonemize = (text: string, espeakVoice: string) => Promise<string[]>;

const LEASHED_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

const WARM_UP_VOICE = 'en-us';
/** V8 takes no notes on a function while it is new: what only the first round met would be unknown to the compiler. */
const WARM_UP_ROUNDS = 2;
/** Abbreviations, figures, names, foreign words, spelt letters, long and unpunctuated text: eSpeak's ways to go. */
const WARM_UP_TEXTS = [
  'Mr. Baker, Dr. Olsen and Mrs. McGregor came at 7:45 on the 23rd of May, 2026; they paid $1,249.50 (with 19% tax).',
  'no problem our kitchen can cook without nuts or gluten is there anything else i can do for you',
  "Would you like the X-ray at St. Mary's, or shall we say half past three on Wednesday?",
  'i have zero seven eight three four one nine is that correct',
  'Please e-mail info@example.com, or ring +44 20 7946 0958 between 9 a.m. and 5 p.m.',
  'The thoroughly unusual psychologist couldn\'t pronounce "Worcestershire", "rendezvous" or "jalapeño".',
  'so that is a table for eleven people on saturday at twelve forty five under the name fitzgerald is that correct',
  "Unfortunately, your flight BA2490 to Reykjavik has been cancelled - we're terribly sorry about that!",
  "WILDFIRE's API isn't ABC, NATO, or U.S.A.; it's version 3.14.159, isn't it?",
  'do you want to cancel the booking of nakamura',
  "First, second, third: they've read the record, they'll record and read it, and I'd have lived near live music.",
  "One moment, please... I'm looking that up for you; this may take a few seconds.",
] as const;

let loading: Promise<Phonemize> | undefined;

/** Loads eSpeak once per thread. Must be awaited before kokoro-js is imported, which imports it too. */
export function loadPhonemizer(): Promise<Phonemize> {
  loading ??= importWithoutListeners();
  return loading;
}

/**
 * Has V8 compile eSpeak for all that speech asks of it. A way not gone here makes it throw the code away and compile
 * it again, 150 ms in the middle of some call, and malloc keeps the 20 MiB the compiler needs for its thread.
 */
export async function warmPhonemizer(): Promise<void> {
  const phonemize = await loadPhonemizer();
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const text of WARM_UP_TEXTS) await phonemize(text, WARM_UP_VOICE);
  }
}

async function importWithoutListeners(): Promise<Phonemize> {
  const before = LEASHED_EVENTS.map((event) => process.listeners(event as 'uncaughtException'));
  const { phonemize } = await import('phonemizer');
  LEASHED_EVENTS.forEach((event, index) => {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before[index]?.includes(listener)) process.off(event, listener);
    }
  });
  return phonemize;
}

/** Takes out the marks "(fr)" with which eSpeak announces a word of another language. */
export function withoutLanguageMarks(phonemes: string): string {
  return phonemes.replace(/\([a-z]{2,4}(?:-[a-z0-9]+)*\)/g, '');
}
