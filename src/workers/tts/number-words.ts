/**
 * Numbers as English words, because voice models drop digits or read them by rules of their own.
 * Pure. Thread: TTS worker, once per sentence, not hot. Used by spoken-text.ts.
 */

const ONES = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
] as const;
const TENS = ['', '', 'twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'] as const;
const SCALES = [
  [1e9, 'billion'],
  [1e6, 'million'],
  [1e3, 'thousand'],
  [1e2, 'hundred'],
] as const;
const IRREGULAR_ORDINALS: Readonly<Record<string, string>> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
};

/** Largest value said as one number; longer digit runs are said digit by digit. */
export const LARGEST_SPOKEN_NUMBER = 999_999_999_999;

/** "forty two". `value`: integer, 0..LARGEST_SPOKEN_NUMBER. */
export function cardinalWords(value: number): string {
  if (value < 20) return ONES[value] as string;
  if (value < 100) {
    const ones = value % 10;
    return `${TENS[Math.floor(value / 10)]}${ones === 0 ? '' : ` ${ONES[ones]}`}`;
  }
  for (const [scale, name] of SCALES) {
    if (value < scale) continue;
    const rest = value % scale;
    const joint = rest === 0 ? '' : rest < 100 ? ' and ' : ' ';
    return `${cardinalWords(Math.floor(value / scale))} ${name}${joint}${rest === 0 ? '' : cardinalWords(rest)}`;
  }
  return '';
}

/** "forty second". Same range as cardinalWords. */
export function ordinalWords(value: number): string {
  const words = cardinalWords(value).split(' ');
  const last = words.pop() as string;
  const irregular = IRREGULAR_ORDINALS[last];
  words.push(irregular ?? (last.endsWith('y') ? `${last.slice(0, -1)}ieth` : `${last}th`));
  return words.join(' ');
}

/** "five five five". Anything that is not a decimal digit is left out. */
export function digitWords(digits: string): string {
  return Array.from(digits.matchAll(/[0-9]/g), ([digit]) => ONES[Number(digit)]).join(' ');
}

/** "nineteen eighty four", "two thousand five", "eighteen hundred". `value`: 1100..2099. */
export function yearWords(value: number): string {
  const century = Math.floor(value / 100);
  const rest = value % 100;
  if (century === 20 && rest < 10) return cardinalWords(value).replace(' and ', ' ');
  if (rest === 0) return `${cardinalWords(century)} hundred`;
  return `${cardinalWords(century)} ${rest < 10 ? 'oh ' : ''}${cardinalWords(rest)}`;
}
