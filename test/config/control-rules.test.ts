/** The control plane is opened to a network only with an allow-list and a lock. */
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { maskSecrets } from '../../src/config/print.ts';

const SECRET = 'control.secret=a secret of some length';
const TLS = ['control.tlsCert=c.pem', 'control.tlsKey=k.pem', 'control.tlsCa=a.pem'];
const OPEN = 'control.bindAddress=0.0.0.0';

function load(...settings: readonly string[]): ReturnType<typeof loadConfig> {
  return loadConfig({ settings, environment: {} });
}

describe('section control', () => {
  it.each([
    [[]],
    [['control.bindAddress=127.0.0.2']],
    [['control.bindAddress=::1']],
    [['control.inboundPortBase=9005']],
    [['control.outboundPortBase=9010']],
    [[OPEN, 'control.allow=192.0.2.7', SECRET]],
    [[OPEN, 'control.allow=192.0.2.0/24, 2001:db8::/32', ...TLS]],
  ])('takes %j', (settings) => {
    expect(() => load(...settings)).not.toThrow();
  });

  it.each([
    [[OPEN], /0\.0\.0\.0 is open to a network: set control\.allow[\s\S]*set control\.secret/],
    [[OPEN, 'control.allow=192.0.2.7'], /set control\.secret, or control\.tlsCert/],
    [[OPEN, SECRET], /set control\.allow/],
    [['control.secret=short'], /at least 16 characters/],
    [TLS.slice(0, 2), /control\.tlsCert, control\.tlsKey and control\.tlsCa go together/],
    [['control.allow=192.0.2.0/33'], /"192\.0\.2\.0\/33" is no address and no network/],
    [['control.allow=example.org'], /"example\.org"/],
    [['control.outboundPortBase=9001'], /must differ by an odd number/],
    [['control.outboundPortBase=9003'], /must differ by an odd number/],
    [['control.inboundPortBase=9006'], /must differ by an odd number/],
    [['control.receiveBufferBytes=1000'], /receiveBufferBytes/],
  ])('refuses %j', (settings, message) => {
    expect(() => load(...settings)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => load(...settings)).toThrow(message);
  });

  it('masks its secret', () => {
    expect(maskSecrets(load(SECRET)).control?.secret).toBe('***');
  });
});
