/**
 * Text as written -> text as spoken on a telephone: markup, emoji and symbols out, every number as words.
 * Pure; English. Thread: TTS worker, once per sentence. Never throws: any string gives a string, possibly empty.
 * Why here and not in the engines: Kokoro and Piper differ in what they drop (digits, "7:30", "$5"), callers
 * must hear the same from both.
 */
import { cardinalWords, digitWords, LARGEST_SPOKEN_NUMBER, ordinalWords, yearWords } from './number-words.ts';

type Rewrite = readonly [pattern: RegExp, replacement: string | ((...groups: string[]) => string)];

/**
 * The text to be phonemised, or '' when nothing in it can be spoken.
 * The order of the tables matters: markup hides text, telephone numbers must be seen before plain numbers.
 */
export function spokenText(written: string): string {
  let text = written;
  for (const table of [FRACTIONS, MARKUP, SYMBOLS, NUMBERS, SPACES]) {
    for (const [pattern, replacement] of table) {
      text = text.replace(pattern, replacement as string);
    }
  }
  return /[\p{L}\p{N}]/u.test(text) ? text.trim() : '';
}

const FRACTIONS: readonly Rewrite[] = [
  [/(?<=\d)\s?½/g, ' and a half'],
  [/½/g, 'half'],
  [/¼/g, 'a quarter'],
  [/¾/g, 'three quarters'],
  [/^.+$/s, (all) => all.normalize('NFKC')],
];

const MARKUP: readonly Rewrite[] = [
  [/<\/?[a-z][^<>]{0,300}>/gi, ' '],
  [/<!--[^>]{0,300}-->/g, ' '],
  [/&amp;/gi, '&'],
  [/&(?:lt|gt|quot|apos|nbsp|#\d{1,7});/gi, ' '],
  // Characters with no sound: controls, format marks, private use, lone surrogates, pictures, skin tones.
  [/[\p{Cc}\p{Cf}\p{Co}\p{Cs}]|\p{Variation_Selector}|\p{Emoji_Modifier}/gu, ' '],
  [/(?![©®™])\p{Extended_Pictographic}|\p{Regional_Indicator}|\u{20e3}/gu, ' '],
  [/[*_`~^|\\{}[\]<>]+/g, ' '],
  [/^[ \t]*#{1,6}\s/gm, ' '],
];

const SYMBOLS: readonly Rewrite[] = [
  [/[‘’]/g, "'"],
  [/[“”«»„]/g, '"'],
  [/\s?&\s?/g, ' and '],
  [/(?<=\w)@(?=\w)/g, ' at '],
  [/#\s?(?=\d)/g, 'number '],
  [/(?<=\d)\s?%/g, ' percent'],
  [/(?<=\d)\s?°\s?C\b/g, ' degrees Celsius'],
  [/(?<=\d)\s?°\s?F\b/g, ' degrees Fahrenheit'],
  [/(?<=\d)\s?°/g, ' degrees'],
  [/\s=\s/g, ' equals '],
  [/(?<=\d)\s*\+\s*(?=\d)/g, ' plus '],
];

const CURRENCIES: Readonly<
  Record<string, readonly [one: string, many: string, cent: string, cents: string]>
> = {
  $: ['dollar', 'dollars', 'cent', 'cents'],
  '£': ['pound', 'pounds', 'penny', 'pence'],
  '€': ['euro', 'euros', 'cent', 'cents'],
};

const NUMBERS: readonly Rewrite[] = [
  [
    /([$£€])\s?(\d{1,3}(?:,\d{3})+|\d{1,12})(?:\.(\d{1,2}))?(?!\d)(\s(?:hundred|thousand|[mb]illion)\b)?/g,
    moneyWords,
  ],
  [/(?<![\d.,])\d{1,3}(?:,\d{3}){1,3}(?![\d.]|,\d)/g, (amount) => ` ${amountWords(amount)} `],
  [/(?<=\d),(?=\d{3}(?!\d))/g, ''],
  // At least seven digits in groups: a telephone number, said digit by digit, a short rest between groups.
  [/(?<![\d.])\+?(?:\(\d{1,5}\)|\d)(?:[ ().-]{0,2}\d){6,14}(?!\d)/g, (found) => telephoneWords(found)],
  [/\b(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([apAP])\.?\s?[mM]\b(?:\.(?=\s+\p{Ll}))?)?/gu, timeWords],
  [/\b(\d{1,2})\s?([apAP])\.?[mM]\b(?:\.(?=\s+\p{Ll}))?/gu, halfDayWords],
  [/\b(\d{1,12})(?:st|nd|rd|th)\b/gi, (_all, digits) => ordinalWords(Number(digits))],
  [/\b(\d{1,3})0s\b/g, (_all, digits) => `${numberWords(`${digits}0`)}s`.replace(/ys$/, 'ies')],
  [/(?<=\d)\s?[-–]\s?(?=\d)/g, ' to '],
  [/\b24\/7\b/g, 'twenty four seven'],
  [/(?<=\d)\s?[/⁄]\s?(?=\d)/g, ' slash '],
  [/(?<![\w.])-(?=\d)/g, 'minus '],
  [
    /(?<!\d)(\d*)\.(\d+)/g,
    (_all, whole, part) => `${numberWords(whole || '0')} point ${digitWords(part as string)}`,
  ],
  [/\d+/g, (digits) => ` ${numberWords(digits)} `],
];

const SPACES: readonly Rewrite[] = [
  [/\s+/g, ' '],
  [/\s+(?=[,.;:!?])/g, ''],
  [/([,;:])(?:\s*[,;:])+/g, '$1'],
  [/^[\s,;:.!?…—–-]+/g, ''],
];

// Bare long runs and runs with a leading zero are references and codes, not amounts.
function numberWords(digits: string): string {
  const value = Number(digits);
  const isCode = digits.length > 1 && digits.startsWith('0');
  if (isCode || digits.length > 6 || value > LARGEST_SPOKEN_NUMBER) return digitWords(digits);
  if (digits.length === 5 || digits.length === 6)
    return value % 100 === 0 ? cardinalWords(value) : digitWords(digits);
  return value >= 1100 && value <= 2099 ? yearWords(value) : cardinalWords(value);
}

function telephoneWords(found: string): string {
  if (/^\d+\.\d+$/.test(found)) return found; // a decimal fraction, for a later rule
  if (/^[1-9]\d*000$/.test(found) && Number(found) <= LARGEST_SPOKEN_NUMBER) return ` ${amountWords(found)} `;
  const groups = found.match(/\d+/g) ?? [];
  const said = groups.length === 1 ? groupsOfThree(groups[0] as string) : groups;
  return ` ${found.startsWith('+') ? 'plus ' : ''}${said.map(digitWords).join(', ')} `;
}

// 5550123 -> 555 0123; 07700900123 -> 077 009 00123: threes, the rest (3..5 digits) at the end.
function groupsOfThree(digits: string): string[] {
  const groups: string[] = [];
  let from = 0;
  while (digits.length - from > 5) {
    groups.push(digits.slice(from, from + 3));
    from += 3;
  }
  groups.push(digits.slice(from));
  return groups;
}

function moneyWords(_all: string, sign: string, whole: string, part?: string, scale?: string): string {
  const [one, many, cent, cents] = CURRENCIES[sign] as readonly [string, string, string, string];
  if (scale !== undefined) {
    const pointed = part === undefined ? '' : ` point ${digitWords(part)}`;
    return `${amountWords(whole)}${pointed}${scale} ${many}`;
  }
  const main = `${amountWords(whole)} ${Number(whole) === 1 ? one : many}`;
  const minor = Number((part ?? '').padEnd(2, '0'));
  return minor === 0 ? main : `${main} and ${cardinalWords(minor)} ${minor === 1 ? cent : cents}`;
}

// `digits` may hold thousands commas.
function amountWords(digits: string): string {
  return cardinalWords(Number(digits.replaceAll(',', '')));
}

function halfDayWords(_all: string, hour: string, half: string): string {
  return `${numberWords(hour)} ${half.toLowerCase()} m`;
}

function timeWords(_all: string, hour: string, minute: string, half?: string): string {
  const minutes = Number(minute);
  const past =
    minutes === 0 ? (half ? '' : " o'clock") : ` ${minutes < 10 ? 'oh ' : ''}${cardinalWords(minutes)}`;
  return `${cardinalWords(Number(hour))}${past}${half ? ` ${half.toLowerCase()} m` : ''}`;
}
