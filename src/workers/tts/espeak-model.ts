/**
 * eSpeak NG (WebAssembly, package phonemizer) on a leash. Thread: TTS worker; a call blocks it for 3 to 20 ms
 * per sentence once warm, 300 ms the first time. Everything that needs phonemes must load it through here.
 * Why a leash: on import the package installs process-wide uncaughtException and unhandledRejection listeners
 * that rethrow; they would decide how the whole worker dies, so exactly those two are taken off again.
 */

/** English only: the package ships no other language. */
export type Phonemize = (text: string, espeakVoice: string) => Promise<string[]>;

const LEASHED_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

let loading: Promise<Phonemize> | undefined;

/** Loads eSpeak once per thread. Must be awaited before kokoro-js is imported, which imports it too. */
export function loadPhonemizer(): Promise<Phonemize> {
  loading ??= importWithoutListeners();
  return loading;
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
