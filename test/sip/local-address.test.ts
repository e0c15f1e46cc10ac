/** The address we name is the one the peer can reach, whatever the socket is bound to. */
import { networkInterfaces } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import { LocalAddresses, localAddressTowards } from '../../src/sip/local-address.ts';
import { type IncomingInvite, SipUserAgent } from '../../src/sip/user-agent.ts';
import { SDP } from './sip-text.ts';

const outer = Object.values(networkInterfaces())
  .flat()
  .find((one) => one !== undefined && one.family === 'IPv4' && !one.internal)?.address;

const agents: SipUserAgent[] = [];

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
});

async function start(
  bindAddress: string,
  advertisedAddress?: string,
): Promise<{ agent: SipUserAgent; invites: IncomingInvite[] }> {
  const invites: IncomingInvite[] = [];
  const agent = await SipUserAgent.start({
    bindAddress,
    port: 0,
    advertisedAddress,
    userAgentName: 'test',
    onInvite: (invite) => {
      invites.push(invite);
      invite.accept(SDP).catch(() => undefined);
    },
  });
  agents.push(agent);
  return { agent, invites };
}

describe('local addresses', () => {
  it('are the bound one, when one is bound', () => {
    const addresses = new LocalAddresses('192.0.2.7');
    expect(addresses.advertisedFor('127.0.0.1')).toBe('192.0.2.7');
  });

  it('are advertised as configured, and bound as they are', () => {
    const addresses = new LocalAddresses('0.0.0.0', '203.0.113.1');
    expect(addresses.advertisedFor('127.0.0.1')).toBe('203.0.113.1');
    expect(addresses.interfaceFor('127.0.0.1')).toBe('127.0.0.1');
  });

  it('are forgotten after a minute, so that a changed route is seen', () => {
    let nowMs = 0;
    const addresses = new LocalAddresses('0.0.0.0', undefined, () => nowMs);
    const first = addresses.interfaceFor('192.0.2.200');
    nowMs = 61_000;
    expect(addresses.interfaceFor('192.0.2.200')).toBe(first);
  });

  it('survive a peer without a route', () => {
    expect(new LocalAddresses('0.0.0.0').interfaceFor('255.255.255.255')).toMatch(/^\d/);
    expect(new LocalAddresses('::').interfaceFor('2001:db8::1')).toMatch(/:/);
  });

  it('towards a name are found too, or an error says why not', async () => {
    expect(await localAddressTowards('localhost')).toBe('127.0.0.1');
    await expect(localAddressTowards('no-such-host.invalid')).rejects.toMatchObject({
      code: 'SIP_TRANSPORT',
    });
  });

  it('of a socket bound to every interface: 127.0.0.1 for a caller on loopback', async () => {
    const { agent, invites } = await start('0.0.0.0');
    const { agent: caller } = await start('127.0.0.1');
    const { dialog } = await caller.call(`sip:x@127.0.0.1:${agent.port}`, SDP).answered;
    expect(invites[0]).toMatchObject({ localAddress: '127.0.0.1', advertisedAddress: '127.0.0.1' });
    await dialog.bye(); // reaches the Contact that was named
    expect(agent.openDialogs).toBe(0);
  });

  it.skipIf(outer === undefined)('and that of the interface for a caller on the network', async () => {
    const { agent, invites } = await start('0.0.0.0');
    const { agent: caller } = await start(outer ?? '');
    const { dialog } = await caller.call(`sip:x@${outer}:${agent.port}`, SDP).answered;
    expect(invites[0]?.localAddress).toBe(outer);
    await dialog.bye();
    expect(agent.openDialogs).toBe(0);
  });

  it.skipIf(networkInterfaces().lo?.every(({ family }) => family !== 'IPv6') !== false)(
    'work with IPv6',
    async () => {
      const { agent } = await start('::1');
      const { agent: caller } = await start('::1');
      const { dialog } = await caller.call(`sip:x@[::1]:${agent.port}`, SDP).answered;
      await dialog.bye();
      expect(agent.openDialogs).toBe(0);
    },
  );
});
