// WWW-Authenticate headers, as registries send them and as RFC 9110 allows them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Challenge, parseChallenges } from '../../../src/images/challenge.ts'

const headers: Record<string, Challenge[]> = {
  'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"':
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.docker.io/token',
          service: 'registry.docker.io',
          scope: 'repository:a/b:pull,push',
        },
      },
    ],
  'Basic realm="Registry Realm"': [{ scheme: 'basic', parameters: { realm: 'Registry Realm' } }],
  'BASIC Realm=plain': [{ scheme: 'basic', parameters: { realm: 'plain' } }],
  'Bearer realm = "x" , service = y': [{ scheme: 'bearer', parameters: { realm: 'x', service: 'y' } }],
  'Basic realm="a, Bearer realm=\\"b\\""': [
    { scheme: 'basic', parameters: { realm: 'a, Bearer realm="b"' } },
  ],
  'Basic realm="a", Bearer realm="b",service="c"': [
    { scheme: 'basic', parameters: { realm: 'a' } },
    { scheme: 'bearer', parameters: { realm: 'b', service: 'c' } },
  ],
  'Negotiate, Basic realm="a"': [
    { scheme: 'negotiate', parameters: {} },
    { scheme: 'basic', parameters: { realm: 'a' } },
  ],
  Negotiate: [{ scheme: 'negotiate', parameters: {} }],
  '': [],
  '"': [],
}

for (const [header, expected] of Object.entries(headers)) {
  test(`${JSON.stringify(header)} holds ${expected.map(({ scheme }) => scheme).join(' and ') || 'nothing'}`, () => {
    assert.deepEqual(parseChallenges(header), expected)
  })
}
