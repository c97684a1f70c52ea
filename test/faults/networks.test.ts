// What a container's networks need and do not find: programs that are not installed, ports and addresses that are taken at the
// same moment, firewalls of others, bridges that somebody removed.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { unavailable, until, useNetworkedDebian } from '../e2e/networked.ts'
import { type Outcome, startMinictr } from '../fixtures/command-line.ts'

const debian = useNetworkedDebian()

/** A command on a host where this program is not installed: in a mount namespace a file covers it that cannot be executed. */
async function without(program: string, ...args: string[]): Promise<Outcome> {
  const path = debian
    .host()
    .run('sh', ['-c', `readlink -f "$(command -v ${program})"`])
    .trim()
  const hide = `mount --bind /dev/null ${path} && exec "$@"`
  const within = [...debian.host().entrance, 'unshare', '--mount', 'sh', '-c', hide, 'sh']
  return await startMinictr([...debian.store().globals, ...args], { within }).outcome
}

const elements = () =>
  debian
    .host()
    .run('nft', ['list', 'ruleset'])
    .match(/tcp \. \d+ : .*/g) ?? []

function leftInNetworks(): string[] {
  const directory = join(debian.store().runRoot, 'networks')
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter(path =>
    /\/(addresses|endpoints|hosts)\/|^names\//.test(path),
  )
}

describe('a host', { skip: unavailable, timeout: 240_000 }, () => {
  it('without nft makes no bridge, and says what to install', async () => {
    const { image, root } = debian.store()
    const { status, stderr } = await without('nft', 'run', '--rm', image, 'true')
    assert.equal(status, 125)
    assert.match(stderr, /load-packet-filter/)
    assert.match(stderr, /Likely cause: nft is not installed: apt install nftables/)
    assert.doesNotMatch(debian.host().run('ip', ['-o', 'link']), /minictr|mctr/)
    assert.deepEqual(readdirSync(join(root, 'containers')), [])
    assert.deepEqual(leftInNetworks(), [])
    const none = await without('nft', 'run', '--rm', '--network', 'none', image, 'true')
    assert.deepEqual([none.status, none.stderr], [0, ''])
  })

  it('without nft runs containers in a network that is there already', async () => {
    const { image } = debian.store()
    await debian.done('run', '--rm', image, 'true')
    const { status, stderr } = await without('nft', 'run', '--rm', image, 'true')
    assert.deepEqual([status, stderr], [0, ''])
  })

  it('without dnsmasq says what to install, and needs none for the default network', async () => {
    const { image } = debian.store()
    await debian.done('network', 'create', 'web')
    const { status, stderr } = await without('dnsmasq', 'run', '--rm', '--network', 'web', image, 'true')
    assert.equal(status, 125)
    assert.match(
      stderr,
      /^minictr: the network needs a DNS server, and dnsmasq is not installed\napt install/,
    )
    assert.deepEqual(leftInNetworks(), [])
    assert.equal((await without('dnsmasq', 'run', '--rm', image, 'true')).status, 0)
    await debian.done('run', '--rm', '--network', 'web', image, 'true')
    await debian.done('network', 'rm', 'web')
  })

  it('whose port 53 a server has at all addresses says so', async () => {
    const { image } = debian.store()
    await debian.done('network', 'create', 'web')
    const server = `require('node:dgram').createSocket('udp4').bind(53, '0.0.0.0', () => {
      require('node:net').createServer().listen(53, '0.0.0.0', () => console.log('ready'))
    })`
    const entrance = debian.host().entrance
    const { spawn } = await import('node:child_process')
    const child = spawn(entrance[0]!, [...entrance.slice(1), process.execPath, '--eval', server])
    await new Promise(resolve => child.stdout.once('data', resolve))
    await debian.refused(
      /^minictr: the DNS server of the network cannot have port 53 of its gateway: address already in use\n/,
      ...['run', '--rm', '--network', 'web', image, 'true'],
    )
    child.kill()
    await new Promise(resolve => child.once('exit', resolve))
    await debian.done('run', '--rm', '--network', 'web', image, 'true')
    await debian.done('network', 'rm', 'web')
  })

  it('whose bridge somebody has removed gets it again', async () => {
    const { image } = debian.store()
    const [bridge] =
      debian
        .host()
        .run('ip', ['-o', 'link'])
        .match(/minictr-\w+/) ?? []
    debian.host().ip(`link delete ${bridge}`)
    await debian.done('run', '--rm', image, 'true')
    assert.match(debian.host().run('ip', ['-o', 'link']), new RegExp(`${bridge}`))
  })

  it('whose rules somebody has flushed gets them again, with the ports of those that run', async () => {
    const { image } = debian.store()
    await debian.container('web', '-p', '8080:80')
    assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2')
    debian.host().nft('flush ruleset')
    await debian.done('run', '--rm', image, 'true')
    assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2')
    assert.equal(await (await debian.beside('web')).ask('192.0.2.2'), '192.0.2.1')
    await debian.done('rm', '-f', 'web')
    assert.deepEqual(elements(), [])
  })

  it('with a firewall of somebody else that drops packets tells of it where it matters, until it is opened', async () => {
    const { image } = debian.store()
    const run = (...flags: string[]) => debian.minictr('run', '--rm', ...flags, image, 'true')
    debian
      .host()
      .nft('table ip guard { chain forward { type filter hook forward priority 0; policy drop; }; }')
    assert.equal((await run()).stderr, '', 'not each time')
    const told = await run('-p', '8080:80')
    assert.equal(told.status, 0)
    assert.match(told.stderr, /^WARNING: the firewall chain ip guard forward drops what it does not know/)
    const remedy = told.stderr.match(/^ {2}(nft .*)$/gm)!.map(line => line.trim())
    assert.equal(remedy.length, 2)
    for (const command of remedy) debian.host().run('sh', ['-c', command])
    assert.equal((await run('-p', '8080:80')).stderr, '')
    debian.host().nft('delete table ip guard')
  })
})

describe('many at once', { skip: unavailable, timeout: 400_000 }, () => {
  it('fifty runs get fifty addresses', async () => {
    const { image } = debian.store()
    const script = 'tail -n 1 /etc/hosts; sleep 1'
    const runs = Array.from({ length: 50 }, () =>
      debian.minictr('run', '--rm', '--quiet', image, 'sh', '-c', script),
    )
    const outcomes = await Promise.all(runs)
    assert.deepEqual(
      outcomes
        .map(({ status, stderr }) => [status, stderr])
        .filter(([status, text]) => status !== 0 || text !== ''),
      [],
    )
    const addresses = outcomes.map(({ stdout }) => stdout.split('\t')[0])
    for (const address of addresses) assert.match(address!, /^172\.17\.0\.\d+$/)
    assert.deepEqual(leftInNetworks(), [])
    await until('the links go', () => !/mctr/.test(debian.host().run('ip', ['-o', 'link'])))
  })

  it('of those that run at the same time no two have the same address, port or name', async () => {
    const { image } = debian.store()
    await debian.done('network', 'create', 'web')
    const names = Array.from({ length: 12 }, (_, index) => `box${index}`)
    const outcomes = await Promise.all(
      names.map(name =>
        debian.minictr('run', '-d', '--name', name, '--network', 'web', '-p', '80', image, 'sleep', '1000'),
      ),
    )
    assert.deepEqual(
      outcomes.map(({ status, stderr }) => [status, stderr]).filter(([status]) => status !== 0),
      [],
    )
    const template = '{{range .Containers}}{{.IPv4Address}} {{end}}'
    const shown = (await debian.done('network', 'inspect', '-f', template, 'web')).trim().split(' ')
    assert.equal(new Set(shown).size, names.length)
    assert.equal(new Set(elements().map(element => element.split(' : ')[0])).size, names.length)
    await debian.done('rm', '-f', ...names)
    assert.deepEqual(leftInNetworks(), [])
    assert.deepEqual(elements(), [])
    await debian.done('network', 'rm', 'web')
  })

  it('of two that want one port one gets it, and the other is told by whom', async () => {
    const { image } = debian.store()
    for (let round = 0; round < 3; round++) {
      const outcomes = await Promise.all(
        ['one', 'two'].map(name =>
          debian.minictr('run', '-d', '--name', name, '-p', '8080:80', image, 'sleep', '1000'),
        ),
      )
      assert.deepEqual(outcomes.map(({ status }) => status).sort(), [0, 125])
      const loser = outcomes.find(({ status }) => status !== 0)!
      assert.match(
        loser.stderr,
        /0\.0\.0\.0:8080.*(failed: port is already allocated|address already in use)/,
      )
      await debian.done('rm', '-f', 'one', 'two').catch(() => {})
      await debian.minictr('rm', '-f', 'one', 'two')
    }
  })

  it('a network that is removed while containers join it is gone, or stays with them', async () => {
    const { image } = debian.store()
    for (let round = 0; round < 4; round++) {
      await debian.done('network', 'create', 'fleeting')
      const [removed, ...ran] = await Promise.all([
        debian.minictr('network', 'rm', 'fleeting'),
        ...[1, 2, 3].map(() => debian.minictr('run', '--rm', '--network', 'fleeting', image, 'true')),
      ])
      for (const { status, stderr } of ran) {
        if (status !== 0) assert.match(stderr, /^minictr: network fleeting not found\n/)
      }
      if (removed.status !== 0) {
        assert.match(removed.stderr, /has active endpoints/)
        await debian.done('network', 'rm', 'fleeting')
      }
    }
    assert.deepEqual(leftInNetworks(), [])
    assert.doesNotMatch(debian.host().run('ip', ['-o', 'link']), /minictr[0-9a-f]{8}/)
  })
})
