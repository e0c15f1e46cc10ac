/**
 * Token ids to text: the decoding half of a byte-level BPE tokenizer.json. (Whisper never encodes text here.)
 * Thread: whisper worker.
 * Source: GPT-2 encoder.py `bytes_to_unicode`; Hugging Face tokenizers ByteLevel decoder.
 */
import { z } from 'zod';

const tokenizerSchema = z.object({
  model: z.object({ vocab: z.record(z.string(), z.int().nonnegative()) }),
  added_tokens: z.array(z.object({ id: z.int().nonnegative(), content: z.string() })).default([]),
});

/** Larger ids would be a damaged file: the largest Whisper has 51,866. */
const MAX_TOKENS = 1_000_000;

export class WhisperTokenizer {
  readonly #bytesById: ReadonlyArray<Uint8Array | undefined>;
  readonly #idByAddedName: ReadonlyMap<string, number>;

  private constructor(
    bytesById: ReadonlyArray<Uint8Array | undefined>,
    idByAddedName: ReadonlyMap<string, number>,
  ) {
    this.#bytesById = bytesById;
    this.#idByAddedName = idByAddedName;
  }

  /**
   * @param json the text of a tokenizer.json.
   * @throws SyntaxError or ZodError when it is no such thing; RangeError for an absurd id.
   */
  static parse(json: string): WhisperTokenizer {
    const { model, added_tokens } = tokenizerSchema.parse(JSON.parse(json));
    const idByAddedName = new Map(added_tokens.map((token) => [token.content, token.id]));
    const added = new Set(idByAddedName.values());
    const bytesById: Array<Uint8Array | undefined> = [];
    for (const [piece, id] of Object.entries(model.vocab)) {
      if (id >= MAX_TOKENS) throw new RangeError(`token id ${id} is out of range`);
      if (!added.has(id)) bytesById[id] = bytesOfPiece(piece);
    }
    return new WhisperTokenizer(bytesById, idByAddedName);
  }

  /** Whether the token stands for text; false for specials, timestamps and unused ids. */
  isText(id: number): boolean {
    return this.#bytesById[id] !== undefined;
  }

  /** The id of a special token by name, or null. */
  idOf(name: string): number | null {
    return this.#idByAddedName.get(name) ?? null;
  }

  /** The id of the first of `names` that exists, or null. */
  idOfFirst(names: readonly string[]): number | null {
    return names.map((name) => this.idOf(name)).find((id) => id !== null) ?? null;
  }

  /** Text of the tokens, specials left out; bytes that are no UTF-8 become U+FFFD. Not trimmed. */
  decode(ids: readonly number[]): string {
    const pieces = ids.map((id) => this.#bytesById[id]).filter((piece) => piece !== undefined);
    return Buffer.concat(pieces).toString('utf8');
  }
}

const BYTE_BY_CHARACTER = byteByCharacter();

function bytesOfPiece(piece: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of piece) {
    const byte = BYTE_BY_CHARACTER.get(character);
    if (byte === undefined) bytes.push(...Buffer.from(character, 'utf8'));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** GPT-2 writes printable bytes as themselves and the other 68 as the characters from U+0100 on. */
function byteByCharacter(): Map<string, number> {
  const table = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    table.set(String.fromCodePoint(isPrintable ? byte : next++), byte);
  }
  return table;
}
