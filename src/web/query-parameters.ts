/** Reads the query of a URL: only what is known, each once, in its range. Every mistake is told in one line. Pure. */

export type Parameters = Readonly<Record<string, string>>;

/** What was wrong with a request, for whoever made it: the answer is 400. */
export class BadRequest extends Error {}

/**
 * @param known names that may occur
 * @throws BadRequest
 */
export function parametersOf(query: URLSearchParams, known: readonly string[]): Parameters {
  const found: Record<string, string> = {};
  for (const [name, value] of query) {
    if (!known.includes(name))
      throw new BadRequest(`unknown parameter ${shown(name)}; known: ${known.join(', ') || 'none'}`);
    if (Object.hasOwn(found, name)) throw new BadRequest(`parameter ${name} is there twice`);
    found[name] = value;
  }
  return found;
}

/** A whole number in a range, or null when it is not there. @throws BadRequest */
export function wholeNumberOf(
  parameters: Parameters,
  name: string,
  { least, most }: { least: number; most: number },
): number | null {
  const text = parameters[name];
  if (text === undefined) return null;
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && value >= least && value <= most) return value;
  throw new BadRequest(`${name}: expected a whole number from ${least} to ${most}, not ${shown(text)}`);
}

/** As JSON has it, and not too much of it. */
function shown(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
