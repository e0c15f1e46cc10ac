/**
 * What must go together in section `control`: its protocol has no authentication of its own, so it is opened to a
 * network only with one. Pure. Decision: docs/adr/0007-control-plane-security.md.
 */
import { BlockList, isIP } from 'node:net';
import type { Config } from './schema.ts';

type Control = Config['control'];

const MIN_SECRET_CHARS = 16;

/** Keys whose values do not go together, or one whose value only more than its type tells wrong. */
export interface Mistake {
  readonly keys: readonly string[];
  /** One line that names them. */
  readonly text: string;
}

/** None when the section is sound. */
export function controlMistakes(control: Control): Mistake[] {
  return [
    ...networkMistakes(control),
    ...tlsMistakes(control),
    ...allowMistakes(control.allow),
    ...portMistakes(control),
  ];
}

function networkMistakes({ bindAddress, allow, secret, tlsCert }: Control): Mistake[] {
  if (secret !== '' && secret.length < MIN_SECRET_CHARS) {
    const text = `control.secret: expected at least ${MIN_SECRET_CHARS} characters`;
    return [{ keys: ['control.secret'], text }];
  }
  if (bindAddress === 'localhost' || bindAddress === '::1' || bindAddress.startsWith('127.')) return [];
  const missing = [
    ...(allow === '' ? ['control.allow (who may connect, for example 192.0.2.0/24)'] : []),
    ...(secret === '' && tlsCert === '' ? ['control.secret, or control.tlsCert with tlsKey and tlsCa'] : []),
  ];
  return missing.map((what) => ({
    keys: ['control.bindAddress'],
    text: `control.bindAddress ${bindAddress} is open to a network: set ${what}`,
  }));
}

function tlsMistakes({ tlsCert, tlsKey, tlsCa }: Control): Mistake[] {
  const given = [tlsCert, tlsKey, tlsCa].filter((path) => path !== '').length;
  if (given === 0 || given === 3) return [];
  const keys = ['control.tlsCert', 'control.tlsKey', 'control.tlsCa'];
  return [{ keys, text: 'control.tlsCert, control.tlsKey and control.tlsCa go together' }];
}

function allowMistakes(allow: string): Mistake[] {
  const entries = allow.split(',').map((entry) => entry.trim());
  return entries
    .filter((entry) => entry !== '' && !isNetwork(entry))
    .map((entry) => ({
      keys: ['control.allow'],
      text: `control.allow: "${entry}" is no address and no network`,
    }));
}

function portMistakes({ inboundPortBase, outboundPortBase }: Control): Mistake[] {
  if ((outboundPortBase - inboundPortBase) % 2 !== 0) return [];
  const text =
    'control.inboundPortBase and control.outboundPortBase must differ by an odd number, as 9001 and 9002 do: ' +
    'ids of calls go in steps of two, and two of them would claim one port';
  return [{ keys: ['control.inboundPortBase', 'control.outboundPortBase'], text }];
}

function isNetwork(entry: string): boolean {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  if (family === 0) return false;
  try {
    if (bits !== undefined) new BlockList().addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4');
    return bits === undefined || /^\d+$/.test(bits);
  } catch {
    return false; // bits out of range
  }
}
