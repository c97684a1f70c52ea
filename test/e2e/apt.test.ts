// A container as people use one: packages are fetched over the host's network, installed, and used.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { debianMirror } from '../fixtures/image.ts'
import { useDebian } from './debian.ts'

const debian = useDebian()

/** Why this host cannot fetch Debian's packages from the mirror; undefined where it can. */
function unreachable(mirror: string): string | undefined {
  const url = `${mirror.replace(/\/$/, '')}/dists/trixie/InRelease`
  const args = ['download-file', url, join(debian.directory(), 'InRelease')]
  const { status, stdout, stderr } = spawnSync('/usr/lib/apt/apt-helper', args, {
    encoding: 'utf8',
    timeout: 20_000,
  })
  return status === 0 ? undefined : `${url} cannot be fetched: ${stdout}${stderr}`
}

it('apt-get updates, installs a package, and its program runs', async t => {
  const mirror = await debianMirror()
  const reason = unreachable(mirror)
  if (reason !== undefined) return t.skip(reason)
  const sources = join(debian.directory(), 'sources.list')
  writeFileSync(sources, `deb ${mirror} trixie main\n`)
  const script = [
    'apt-get update -qq',
    'apt-get install -y -qq --no-install-recommends hello',
    'hello',
    'stat -c %U /usr/bin/hello',
  ].join(' && ')
  const flags = ['--network', 'host', '-v', `${sources}:/etc/apt/sources.list:ro`]
  const { status, stdout, stderr } = await debian.run(flags, ['sh', '-c', script])
  assert.equal(status, 0, stderr)
  assert.match(stdout, /Hello, world!\nroot\n$/)
})
