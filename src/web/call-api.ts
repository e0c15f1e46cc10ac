/**
 * Calls and turns over HTTP: /api/calls, /api/calls/{id} and /api/turns become questions to the store, whose thread
 * makes the documents; nothing is read or serialised here. Reads only. Thread: main. Shapes: docs/cli.md.
 */
import { MAX_PAGE, type StoreQuery } from '../store/store-messages.ts';
import { BadRequest, type Parameters, parametersOf, wholeNumberOf } from './query-parameters.ts';

/** Who keeps calls. */
export interface CallRecords {
  /**
   * @returns a document as UTF-8 JSON; null when there is no such call
   * @throws WildfireError STORE_UNAVAILABLE (retryable)
   */
  read(query: StoreQuery): Promise<Uint8Array | null>;
}

const DEFAULT_PAGE = 50;
/** Longer ones are no Call-ID that a SIP message of ours could carry. */
const MOST_NAME_CHARACTERS = 512;

/**
 * The question that a request asks.
 * @param path not decoded
 * @returns null when the path is not one of these
 * @throws BadRequest
 */
export function storeQueryOf(path: string, query: URLSearchParams): StoreQuery | null {
  if (path === '/api/calls') {
    return { kind: 'calls', ...pageOf(parametersOf(query, ['limit', 'before'])) };
  }
  if (path === '/api/turns') {
    const parameters = parametersOf(query, ['limit', 'before', 'call']);
    const call = parameters.call === undefined ? null : nameOf(parameters.call);
    return { kind: 'turns', call, ...pageOf(parameters) };
  }
  const [, name] = /^\/api\/calls\/([^/]+)$/.exec(path) ?? [];
  if (name === undefined) return null;
  parametersOf(query, []);
  return { kind: 'call', call: nameOf(decoded(name)) };
}

function pageOf(parameters: Parameters): { limit: number; before: number | null } {
  return {
    limit: wholeNumberOf(parameters, 'limit', { least: 1, most: MAX_PAGE }) ?? DEFAULT_PAGE,
    before: wholeNumberOf(parameters, 'before', { least: 1, most: Number.MAX_SAFE_INTEGER }),
  };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new BadRequest('the name of the call is not percent-encoded UTF-8');
  }
}

function nameOf(name: string): string {
  if (name.length >= 1 && name.length <= MOST_NAME_CHARACTERS) return name;
  throw new BadRequest(`a call is named by 1 to ${MOST_NAME_CHARACTERS} characters`);
}
