/**
 * What must go together in section `control`: its protocol has no authentication of its own, so it is opened to a
 * network only with one. Pure. Decision: docs/adr/0007-control-plane-security.md.
 */
import { BlockList, isIP } from 'node:net';
import type { Config } from './schema.ts';

type Control = Config['control'];

const MIN_SECRET_CHARS = 16;

/** One line for each mistake; none when the section is sound. */
export function controlMistakes(control: Control): string[] {
  return [
    ...networkMistakes(control),
    ...tlsMistakes(control),
    ...allowMistakes(control.allow),
    ...portMistakes(control),
  ];
}

function networkMistakes({ bindAddress, allow, secret, tlsCert }: Control): string[] {
  if (secret !== '' && secret.length < MIN_SECRET_CHARS) {
    return [`control.secret: expected at least ${MIN_SECRET_CHARS} characters`];
  }
  if (bindAddress === 'localhost' || bindAddress === '::1' || bindAddress.startsWith('127.')) return [];
  const missing = [
    ...(allow === '' ? ['control.allow (who may connect, for example 192.0.2.0/24)'] : []),
    ...(secret === '' && tlsCert === '' ? ['control.secret, or control.tlsCert with tlsKey and tlsCa'] : []),
  ];
  return missing.map((what) => `control.bindAddress ${bindAddress} is open to a network: set ${what}`);
}

function tlsMistakes({ tlsCert, tlsKey, tlsCa }: Control): string[] {
  const given = [tlsCert, tlsKey, tlsCa].filter((path) => path !== '').length;
  return given === 0 || given === 3 ? [] : ['control.tlsCert, control.tlsKey and control.tlsCa go together'];
}

function allowMistakes(allow: string): string[] {
  const entries = allow.split(',').map((entry) => entry.trim());
  return entries
    .filter((entry) => entry !== '' && !isNetwork(entry))
    .map((entry) => `control.allow: "${entry}" is no address and no network`);
}

function portMistakes({ inboundPortBase, outboundPortBase }: Control): string[] {
  if (inboundPortBase !== outboundPortBase) return [];
  return ['control.inboundPortBase and control.outboundPortBase must differ'];
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
