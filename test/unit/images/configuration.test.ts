// The configuration file: Docker's keys, and errors that name file and key.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hostName, isInsecure, isLoopback, readConfiguration } from '../../../src/images/configuration.ts'

const directory = mkdtempSync(join(tmpdir(), 'minictr-config-'))
const file = join(directory, 'config.json')
after(() => rmSync(directory, { recursive: true, force: true }))

function read(text: string) {
  writeFileSync(file, text)
  return readConfiguration(file)
}

test('mirrors and insecure registries are read; certificates lie beside the file', () => {
  const text =
    '{"registry-mirrors":["https://m.example","http://m:5000/"],"insecure-registries":["a:5000","10.0.0.0/8","[::1]:1"]}'
  assert.deepEqual(read(text), {
    registryMirrors: ['https://m.example', 'http://m:5000/'],
    insecureRegistries: ['a:5000', '10.0.0.0/8', '[::1]:1'],
    certificatesDirectory: join(directory, 'certs.d'),
  })
  assert.deepEqual(read('{}').registryMirrors, [])
  assert.deepEqual(read('{"bip":"10.5.0.1/16","log-driver":"none"}').registryMirrors, [], 'what others read')
})

const wrong: [string, RegExp][] = [
  ['{', /config\.json is not JSON/],
  ['[]', /config\.json holds \[\], not an object/],
  ['null', /config\.json holds null, not an object/],
  ['{"registry-mirror":[]}', /config\.json: unknown key "registry-mirror"/],
  [
    '{"registry-mirrors":"https://m"}',
    /config\.json: registry-mirrors is "https:\/\/m", not a list of texts/,
  ],
  ['{"registry-mirrors":[1]}', /registry-mirrors is \[1\], not a list of texts/],
  ['{"registry-mirrors":["m.example"]}', /registry-mirrors: "m\.example" is not a URL/],
  ['{"registry-mirrors":["ftp://m"]}', /registry-mirrors: "ftp:\/\/m" is neither http/],
  ['{"registry-mirrors":["https://u:p@m"]}', /holds a user name/],
  ['{"registry-mirrors":["https://m/path"]}', /has more than a host and a port/],
  ['{"registry-mirrors":["https://m?x"]}', /has more than a host and a port/],
  ['{"insecure-registries":["http://a"]}', /insecure-registries: "http:\/\/a" is neither/],
  ['{"insecure-registries":["10.0.0.0/33"]}', /insecure-registries: "10\.0\.0\.0\/33" is neither/],
  ['{"insecure-registries":["a/b"]}', /insecure-registries: "a\/b" is neither/],
  ['{"insecure-registries":[""]}', /insecure-registries: "" is neither/],
]

for (const [text, message] of wrong) {
  test(`${text} is refused: ${message.source}`, () => {
    assert.throws(() => read(text), { name: 'MinictrError', message })
  })
}

test('a file that was asked for must be there', () => {
  assert.throws(() => readConfiguration(join(directory, 'none.json')), {
    name: 'MinictrError',
    message: /none\.json: ENOENT/,
  })
})

test('hosts without their ports', () => {
  const names = { a: 'a', 'A:1': 'a', '[::1]': '::1', '[::1]:5000': '::1', '127.0.0.1:5000': '127.0.0.1' }
  for (const [host, name] of Object.entries(names)) assert.equal(hostName(host), name)
})

test('this machine is known by its names and addresses, and by nothing that only looks like them', () => {
  for (const host of [
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1',
    '127.1.2.3:5000',
    '[::1]:5000',
    'a.localhost',
  ]) {
    assert.equal(isLoopback(host), true, host)
  }
  for (const host of ['localhost.example', '128.0.0.1', '[::2]:1', 'notlocalhost', '127.0.0.1.example']) {
    assert.equal(isLoopback(host), false, host)
  }
})

test('insecure registries are told by name, name and port, or network', async () => {
  const configuration = {
    registryMirrors: [],
    insecureRegistries: ['a.example', 'b.example:5000', '10.0.0.0/8', 'fd00::/8'],
    certificatesDirectory: directory,
  }
  const expected: Record<string, boolean> = {
    'a.example': true,
    'a.example:5000': true,
    'b.example:5000': true,
    'b.example:5001': false,
    '10.9.9.9:5000': true,
    '11.0.0.1': false,
    '[fd00::1]:5000': true,
    '[fe00::1]': false,
  }
  for (const [host, insecure] of Object.entries(expected)) {
    assert.equal(await isInsecure(host, configuration), insecure, host)
  }
})
