// Which requests take a proxy (rules: golang.org/x/net/http/httpproxy, which Docker follows).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isExcepted, proxyFor } from '../../../src/images/proxy.ts'

/** NO_PROXY, host, whether it is excepted. */
const exceptions: [string, string, boolean][] = [
  ['', 'https://a.example', false],
  ['*', 'https://a.example', true],
  ['example', 'https://a.example', true],
  ['a.example', 'https://a.example', true],
  ['A.Example', 'https://a.example', true],
  ['a.example', 'https://b.a.example', true],
  ['a.example', 'https://ba.example', false],
  ['.a.example', 'https://a.example', false],
  ['.a.example', 'https://b.a.example', true],
  ['*.a.example', 'https://b.a.example', true],
  ['*.a.example', 'https://a.example', false],
  ['x, a.example ,y', 'https://a.example', true],
  ['a.example:8443', 'https://a.example:8443', true],
  ['a.example:8443', 'https://a.example', false],
  ['a.example:443', 'https://a.example', true],
  ['a.example:80', 'http://a.example', true],
  ['10.0.0.1', 'http://10.0.0.1', true],
  ['10.0.0.1', 'http://10.0.0.11', false],
  ['10.0.0.1:5000', 'http://10.0.0.1:5000', true],
  ['10.0.0.0/8', 'http://10.1.2.3:5000', true],
  ['10.0.0.0/8', 'http://11.1.2.3:5000', false],
  ['10.0.0.0/8', 'http://ten.example', false],
  ['10.0.0.0/99', 'http://10.1.2.3', false],
  ['fd00::/8', 'http://[fd00::1]:5000', true],
  ['fd00::1', 'http://[fd00::1]:5000', true],
  ['[fd00::1]:5000', 'http://[fd00::1]:5000', true],
  ['[fd00::1]:5001', 'http://[fd00::1]:5000', false],
  ['fd00::/8', 'http://10.0.0.1', false],
]

for (const [noProxy, url, expected] of exceptions) {
  test(`NO_PROXY=${noProxy} ${expected ? 'excepts' : 'does not except'} ${url}`, () => {
    assert.equal(isExcepted(new URL(url), noProxy), expected)
  })
}

test('the variable is chosen by the scheme, capitals first', () => {
  const environment = { HTTP_PROXY: 'http://p1:1', HTTPS_PROXY: 'http://p2:2', https_proxy: 'http://p3:3' }
  assert.equal(proxyFor(new URL('http://a.example'), environment), 'http://p1:1')
  assert.equal(proxyFor(new URL('https://a.example'), environment), 'http://p2:2')
  assert.equal(proxyFor(new URL('https://a.example'), { https_proxy: 'p3:3' }), 'http://p3:3')
  assert.equal(proxyFor(new URL('https://a.example'), { HTTP_PROXY: 'http://p1:1' }), undefined)
  assert.equal(proxyFor(new URL('https://a.example'), { ...environment, no_proxy: 'example' }), undefined)
})

test('this machine is never reached through a proxy', () => {
  for (const host of [
    'localhost',
    'localhost:5000',
    '127.0.0.1',
    '127.9.9.9:5000',
    '[::1]:5000',
    'x.localhost',
  ]) {
    assert.equal(proxyFor(new URL(`http://${host}`), { HTTP_PROXY: 'http://p:1' }), undefined, host)
  }
})

test('a proxy that is none is an error naming the variable', () => {
  for (const value of ['socks5://p:1', 'ftp://p', 'http://']) {
    assert.throws(() => proxyFor(new URL('http://a.example'), { HTTP_PROXY: value }), {
      name: 'MinictrError',
      message: /HTTP_PROXY is ".*", which is not/,
    })
  }
})
