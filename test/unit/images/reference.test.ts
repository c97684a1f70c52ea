// The reference rules, case by case (grammar: github.com/distribution/reference).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertDigest,
  canonicalName,
  familiarName,
  parseReference,
  withDefaultTag,
} from '../../../src/images/reference.ts'

const hex = 'a'.repeat(64)

/** What is typed -> [canonical, familiar], a default tag added. */
const valid: Record<string, [string, string]> = {
  debian: ['docker.io/library/debian:latest', 'debian:latest'],
  'debian:trixie': ['docker.io/library/debian:trixie', 'debian:trixie'],
  'docker.io/debian': ['docker.io/library/debian:latest', 'debian:latest'],
  'docker.io/library/debian': ['docker.io/library/debian:latest', 'debian:latest'],
  'index.docker.io/debian': ['docker.io/library/debian:latest', 'debian:latest'],
  'index.docker.io/library/debian:12': ['docker.io/library/debian:12', 'debian:12'],
  'library/debian': ['docker.io/library/debian:latest', 'debian:latest'],
  'library/foo/bar': ['docker.io/library/foo/bar:latest', 'library/foo/bar:latest'],
  'bitnami/redis': ['docker.io/bitnami/redis:latest', 'bitnami/redis:latest'],
  'host:5000/a/b:tag': ['host:5000/a/b:tag', 'host:5000/a/b:tag'],
  'localhost/a': ['localhost/a:latest', 'localhost/a:latest'],
  'localhost:5000/a': ['localhost:5000/a:latest', 'localhost:5000/a:latest'],
  '127.0.0.1:5000/a': ['127.0.0.1:5000/a:latest', '127.0.0.1:5000/a:latest'],
  '[::1]:5000/a': ['[::1]:5000/a:latest', '[::1]:5000/a:latest'],
  '[fc00::1]/a/b': ['[fc00::1]/a/b:latest', '[fc00::1]/a/b:latest'],
  'ghcr.io/o/r:v1.2.3': ['ghcr.io/o/r:v1.2.3', 'ghcr.io/o/r:v1.2.3'],
  'xn--n3h.com:18080/foo': ['xn--n3h.com:18080/foo:latest', 'xn--n3h.com:18080/foo:latest'],
  'test_com/foo': ['docker.io/test_com/foo:latest', 'test_com/foo:latest'],
  'Foo/bar': ['Foo/bar:latest', 'Foo/bar:latest'],
  '192.168.0.1': ['docker.io/library/192.168.0.1:latest', '192.168.0.1:latest'],
  '192.168.0.1:80': ['docker.io/library/192.168.0.1:80', '192.168.0.1:80'],
  'a--b/c__d.e': ['docker.io/a--b/c__d.e:latest', 'a--b/c__d.e:latest'],
  'a:_tag-1.2': ['docker.io/library/a:_tag-1.2', 'a:_tag-1.2'],
  [`a:${'t'.repeat(128)}`]: [`docker.io/library/a:${'t'.repeat(128)}`, `a:${'t'.repeat(128)}`],
  [`debian@sha256:${hex}`]: [`docker.io/library/debian@sha256:${hex}`, `debian@sha256:${hex}`],
  [`debian:12@sha256:${hex}`]: [`docker.io/library/debian:12@sha256:${hex}`, `debian:12@sha256:${hex}`],
  [`host:5000/a@sha512:${hex}${hex}`]: [`host:5000/a@sha512:${hex}${hex}`, `host:5000/a@sha512:${hex}${hex}`],
  [`docker.io/${hex}`]: [`docker.io/library/${hex}:latest`, `${hex}:latest`],
  [hex.slice(1)]: [`docker.io/library/${hex.slice(1)}:latest`, `${hex.slice(1)}:latest`],
}

const refused: Record<string, RegExp> = {
  '': /not \[HOST/,
  ':tag': /not \[HOST/,
  'debian:': /not \[HOST/,
  'debian@': /not \[HOST/,
  Debian: /\(library\/Debian\) must be lowercase/,
  'docker/Docker': /\(docker\/Docker\) must be lowercase/,
  'docker.io/docker/Docker': /must be lowercase/,
  'https://github.com/docker/docker': /not \[HOST/,
  '-docker': /not \[HOST/,
  'docker-/docker': /not \[HOST/,
  '-docker.io/docker/docker': /not \[HOST/,
  '_docker/_docker': /not \[HOST/,
  'docker///docker': /not \[HOST/,
  'docker/': /not \[HOST/,
  'dock..er/docker': /not \[HOST/,
  'dock_.er/docker': /not \[HOST/,
  'dock___er/docker': /not \[HOST/,
  'a/../b': /not \[HOST/,
  '../b': /not \[HOST/,
  '/a': /not \[HOST/,
  'a b': /not \[HOST/,
  'a\n': /not \[HOST/,
  'a:-tag': /not \[HOST/,
  'a:b:c': /not \[HOST/,
  [`a:${'t'.repeat(129)}`]: /not \[HOST/,
  '[fc00::1]': /not \[HOST/,
  'fc00::1:5000/debian': /not \[HOST/,
  '[fe80::1%eth0]:5000/debian': /not \[HOST/,
  [hex]: /64 hexadecimal digits/,
  [`a@sha256:${hex.slice(1)}`]: /takes 64 lower-case/,
  [`a@sha256:${hex.toUpperCase()}`]: /takes 64 lower-case/,
  [`a@md5:${'a'.repeat(32)}`]: /algorithm "md5"/,
  [`a@constructor:${'a'.repeat(32)}`]: /algorithm "constructor"/,
  [`a/${'b'.repeat(254)}`]: /longer than 255/,
}

for (const [text, [canonical, familiar]] of Object.entries(valid)) {
  test(`${text} is ${canonical}`, () => {
    const reference = withDefaultTag(parseReference(text))
    assert.equal(canonicalName(reference), canonical)
    assert.equal(familiarName(reference), familiar)
    assert.deepEqual(parseReference(canonical), reference)
    assert.deepEqual(parseReference(familiar), reference)
  })
}

for (const [text, reason] of Object.entries(refused)) {
  test(`${JSON.stringify(text)} is refused: ${reason.source}`, () => {
    assert.throws(() => parseReference(text), { name: 'MinictrError', message: reason })
  })
}

test('a digest that is a path is refused', () => {
  assert.throws(() => assertDigest(`sha256:../../${'a'.repeat(58)}`), /lower-case hexadecimal/)
  assert.throws(() => assertDigest('sha256'), /takes 64/)
  assert.throws(() => assertDigest(`sha256:${hex}:x`), /takes 64/)
})
