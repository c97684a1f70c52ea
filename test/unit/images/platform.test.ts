// The choice among an index's platforms (rules: github.com/containerd/platforms).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choosePlatform, formatPlatform, hostPlatform, parsePlatform } from '../../../src/images/platform.ts'

const parsed: Record<string, string> = {
  'linux/amd64': 'linux/amd64',
  'Linux/x86_64': 'linux/amd64',
  'linux/x86-64': 'linux/amd64',
  'linux/amd64/v1': 'linux/amd64',
  'linux/amd64/v2': 'linux/amd64/v2',
  'linux/aarch64': 'linux/arm64',
  'linux/arm64/v8': 'linux/arm64',
  'linux/arm64/8': 'linux/arm64',
  'linux/arm64/v9': 'linux/arm64/v9',
  'linux/arm': 'linux/arm/v7',
  'linux/arm/7': 'linux/arm/v7',
  'linux/armhf': 'linux/arm/v7',
  'linux/armel': 'linux/arm/v6',
  'linux/i386': 'linux/386',
  'macos/arm64': 'darwin/arm64',
  'linux/riscv64': 'linux/riscv64',
  'plan10/strange': 'plan10/strange',
  arm64: 'linux/arm64',
  linux: formatPlatform(hostPlatform()),
}

for (const [text, expected] of Object.entries(parsed)) {
  test(`--platform ${text} means ${expected}`, () =>
    assert.equal(formatPlatform(parsePlatform(text)), expected))
}

for (const text of ['', 'sparkling', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux/*', 'linux/am d64']) {
  test(`--platform "${text}" is refused`, () => {
    assert.throws(() => parsePlatform(text), { name: 'MinictrError', message: /not a platform/ })
  })
}

/** wanted, offered -> chosen. */
const choices: [string, string[], string | undefined][] = [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/386', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/386'], 'linux/386'],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/amd64/v3'], undefined],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v2'],
  ['linux/386', ['linux/amd64'], undefined],
  ['linux/arm64', ['linux/arm64/v8'], 'linux/arm64/v8'],
  ['linux/arm64/v8', ['linux/arm64'], 'linux/arm64'],
  ['linux/arm64', ['linux/arm64/v9'], undefined],
  ['linux/arm64/v9', ['linux/arm64'], 'linux/arm64'],
  ['linux/arm64/v9', ['linux/arm64', 'linux/arm64/v8.4', 'linux/arm64/v8.6'], 'linux/arm64/v8.4'],
  ['linux/arm64/v9.1', ['linux/arm64', 'linux/arm64/v9', 'linux/arm64/v8.6'], 'linux/arm64/v9'],
  ['linux/arm64/v8.2', ['linux/arm64', 'linux/arm64/v8.1'], 'linux/arm64/v8.1'],
  ['linux/arm64', ['linux/arm/v5', 'linux/arm/v7'], 'linux/arm/v7'],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 'linux/arm/v6'],
  ['linux/arm/v6', ['linux/arm/v7'], undefined],
  ['linux/arm', ['linux/arm'], 'linux/arm'],
  ['linux/s390x', ['linux/amd64', 'unknown/unknown'], undefined],
  ['windows/amd64', ['linux/amd64'], undefined],
]

const asPlatform = (text: string) => {
  const [os, architecture, variant] = text.split('/') as [string, string, string?]
  return { os, architecture, ...(variant && { variant }) }
}

for (const [wanted, offered, expected] of choices) {
  test(`${wanted} of ${offered.join(', ')}: ${expected ?? 'none'}`, () => {
    const candidates = offered.map(text => ({ platform: asPlatform(text) }))
    const chosen = choosePlatform(candidates, asPlatform(wanted))
    assert.equal(chosen && formatPlatform(chosen.platform), expected)
  })
}

test('an image that names no platform is taken when nothing better is there', () => {
  const unnamed: { platform?: { os: string; architecture: string } } = {}
  const fitting = { platform: { os: 'linux', architecture: 'amd64' } }
  assert.equal(choosePlatform([unnamed, fitting], asPlatform('linux/amd64')), fitting)
  assert.equal(choosePlatform([unnamed, fitting], asPlatform('linux/arm64')), unnamed)
})
