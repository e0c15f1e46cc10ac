/** Where a callee is, as seen from here. Thread: the caller process's main thread. */
import { WildfireError } from '../errors.ts';
import { localAddressTowards } from '../sip/local-address.ts';

/**
 * Our own address on the interface towards a SIP URI.
 * @throws WildfireError USAGE_INVALID when it is none or its host leads nowhere
 */
export async function localAddressFor(uri: string): Promise<string> {
  return localAddressTowards(hostOf(uri));
}

function hostOf(uri: string): string {
  const match = /^sip:(?:[^@\s]+@)?([^:;?\s[\]]+|\[[^\]]+\])(?::\d+)?/i.exec(uri);
  if (match?.[1] === undefined) {
    throw new WildfireError(
      'USAGE_INVALID',
      `"${uri}" is no SIP URI; expected for example sip:bot@127.0.0.1:5060`,
    );
  }
  return match[1].replace(/^\[|\]$/g, '');
}
