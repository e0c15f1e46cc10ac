/** What went wrong when a port of the control plane could not be opened, in words. Pure. */
import { messageOf, WildfireError } from '../../errors.ts';

export interface PortInWords {
  /** "control port 127.0.0.1:9001 (TCP)" */
  readonly name: string;
  readonly port: number;
  /** What to do about another program that has it. */
  readonly hint: string;
}

/** Reasons that lie in the address and not in who else is there: no other port of it would do. */
const OF_THE_ADDRESS = new Set(['EADDRNOTAVAIL', 'EACCES', 'EINVAL', 'EAFNOSUPPORT']);

/** @returns CONFIG_INVALID for an address that cannot be listened on; else PORT_IN_USE, retryable */
export function listenError(error: NodeJS.ErrnoException, { name, port, hint }: PortInWords): WildfireError {
  const context = { port };
  if (error.code === 'EADDRINUSE') {
    return new WildfireError('PORT_IN_USE', `${name} is in use; ${hint}`, { retryable: true, context });
  }
  const message = `cannot listen on ${name}: ${messageOf(error)}`;
  return OF_THE_ADDRESS.has(error.code ?? '')
    ? new WildfireError('CONFIG_INVALID', `${message}; see control.bindAddress`, { context, cause: error })
    : new WildfireError('PORT_IN_USE', message, { retryable: true, context, cause: error });
}
