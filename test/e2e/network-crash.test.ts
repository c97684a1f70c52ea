// Killed with SIGKILL before each step of a run that makes or joins networks, minictr alone or all that it started: afterwards
// nothing of it remains, nothing of others is changed, and the next container finds all it needs.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { executable } from '../fixtures/command-line.ts'
import { atTerminal, type Session } from '../fixtures/terminal.ts'
import { commandsWith, family, killIfThere, textOf } from '../fixtures/victims.ts'
import { idsIn } from './debian.ts'
import { unavailable, until, useNetworkedDebian } from './networked.ts'

const debian = useNetworkedDebian()
/** The ids of all steps of the run, in their order. */
let all: string[] = []
const prompt = 'next continue quit sh look plan help > '
const flags = ['--rm', '--network', 'town', '--network', 'back', '-p', '8080:80', '--network-alias', 'www']

const foreign = `table inet somebody {
	chain forward {
		type filter hook forward priority filter; policy accept;
		counter packets 0 bytes 0 comment "theirs"
	}
}
`

type Shown = Record<string, unknown>

/** Links, addresses, routes and rules of the host; what counts or is chosen anew each time apart. */
function hostState(): unknown {
  const host = debian.host()
  const links = JSON.parse(host.run('ip', ['-j', 'address'])) as Shown[]
  const routes = JSON.parse(host.run('ip', ['-j', 'route', 'show', 'table', 'all'])) as Shown[]
  const { nftables } = JSON.parse(host.run('nft', ['-j', 'list', 'ruleset'])) as { nftables: Shown[] }
  return {
    links: links.map(({ ifname, flags, addr_info, link }) => ({
      ...{ ifname, flags, link },
      addresses: (addr_info as Shown[]).map(({ local }) => local).filter(isChosen),
    })),
    routes: routes.map(({ dst, dev, gateway }) => ({ dst, dev, gateway })).filter(({ dst }) => isChosen(dst)),
    rules: JSON.parse(
      JSON.stringify(nftables, (key, value) => (key === 'packets' || key === 'bytes' ? 0 : value)),
    ),
  }
}

/** Not made by the kernel of the hardware address, a moment after a link is there. */
function isChosen(address: unknown): boolean {
  return !/^(fe80|ff00|multicast)/.test(String(address))
}

/** What is left of containers, a line each. */
function leftovers(): string[] {
  const { runRoot } = debian.store()
  const host = debian.host()
  const files = filesBelow(join(runRoot, 'networks')).filter(path =>
    /\/(addresses|endpoints|hosts|resolvers|holders|links)\//.test(path),
  )
  const links = host.run('ip', ['-o', 'link']).match(/mctr\w+/g) ?? []
  const elements = host.run('nft', ['list', 'ruleset']).match(/tcp \. \d+ : .*/g) ?? []
  const holders = processes().filter(pid =>
    /^minictr-helper\0(proxy|hold)\0/.test(textOf(`/proc/${pid}/cmdline`)),
  )
  const resolvers = processes().filter(pid =>
    /^dnsmasq\0.*\/resolvers\//.test(textOf(`/proc/${pid}/cmdline`)),
  )
  return [
    ...files,
    ...links,
    ...elements,
    ...resolvers.map(pid => `resolver ${pid}`),
    ...holders.map(pid => `holder ${pid}`),
    ...idsIn(runRoot),
  ]
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

/** Those in the namespace of the host of these tests. */
function processes(): number[] {
  const own = `/proc/${debian.host().pid}/ns/net`
  const pids = debian
    .host()
    .try('sh', [
      ...['-c', `for pid in /proc/[0-9]*; do [ $pid/ns/net -ef ${own} ] && echo \${pid#/proc/}; done`],
    ])
  return pids.stdout.trim().split('\n').filter(Boolean).map(Number)
}

/** A run that waits before its step of this id. */
async function waiting(id: string): Promise<Session> {
  const { globals, image } = debian.store()
  const run = ['run', '--step', ...flags, image, 'true']
  const session = atTerminal([...debian.host().entrance, executable, ...globals, ...run])
  for (let at = 0; at < all.indexOf(id); at++) {
    await session.see(prompt)
    session.type('')
  }
  await session.see(`  ${id} `)
  await session.see(prompt)
  return session
}

describe('SIGKILL before a step of networks', { skip: unavailable, timeout: 900_000 }, () => {
  let steps: string[] = []
  let untouched: unknown

  before(async () => {
    if (unavailable) return
    debian.host().nft(foreign)
    debian.host().sysctl({ 'ipv4/ip_forward': 1, 'ipv6/conf/all/forwarding': 1 })
    untouched = hostState()
    await makeNetworks()
    const { image } = debian.store()
    const told = await debian.done('explain', 'run', '--json', ...flags, image, 'true')
    all = (JSON.parse(told).steps as { id: string }[]).map(({ id }) => id)
    const networks =
      /^(claim-addresses|claim-name|hold-ports|load-packet-filter|create-bridge|start-name-server|create-cgroup|create-veth|forward-ports|announce-name|start-resolver|redirect-names|configure-links|mount-proc)/
    steps = all.filter(id => networks.test(id))
    assert.ok(steps.length >= 15, steps.join(' '))
  })

  const makeNetworks = async () => {
    await debian.done('network', 'create', '--subnet', '10.50.0.0/24', '--ipv6', 'town')
    await debian.done('network', 'create', '--subnet', '10.51.0.0/24', 'back')
  }

  for (const whom of ['minictr', 'all of its processes']) {
    it(`to ${whom} leaves nothing`, async () => {
      for (const id of steps) {
        const session = await waiting(id)
        const own = commandsWith(debian.store().root, '--step')
        assert.ok(own.length > 0, 'the run is to be found')
        for (const pid of whom === 'minictr' ? own : family(own[0]!)) killIfThere(pid)
        await session.end()
        if (whom === 'minictr')
          await until('the monitor cleans up', () => idsIn(debian.store().runRoot).length === 0)
        assert.equal(await debian.done('system', 'recover'), '', `before ${id}`)
        await until('the links go', () => !leftovers().some(line => line.startsWith('mctr')))
        assert.deepEqual(leftovers(), [], `before ${id}`)
        // What was half made is no hindrance.
        const { image } = debian.store()
        const found = await debian.done(
          'run',
          ...flags,
          image,
          'sh',
          '-c',
          'getent hosts www.town; ls /sys/class/net',
        )
        assert.match(found, /www\.town\neth0\neth1\nlo\n$/, `after the one before ${id}`)
        await debian.done('network', 'rm', 'town', 'back')
        debian.host().try('nft', ['delete', 'table', 'inet', 'minictr'])
        assert.deepEqual(hostState(), untouched, `before ${id}`)
        await makeNetworks()
      }
    })
  }

  it('to all of them while a container runs leaves nothing either', async () => {
    const { image, runRoot } = debian.store()
    await debian.done('run', '-d', ...flags, image, 'sleep', '1000')
    const [id] = idsIn(runRoot)
    const owner = JSON.parse(textOf(join(runRoot, id!, 'journal')).split('\n')[0]!).owner.pid as number
    for (const pid of family(owner)) killIfThere(pid)
    assert.equal(await debian.done('system', 'recover'), '')
    await until('the links go', () => !leftovers().some(line => line.startsWith('mctr')))
    assert.deepEqual(leftovers(), [])
  })
})

describe('SIGKILL to a command that removes a network', { skip: unavailable, timeout: 120_000 }, () => {
  it('leaves it half, and the next command goes on', async () => {
    const { root, image } = debian.store()
    await debian.done('run', '--rm', '--network', 'town', image, 'true')
    const id = readFileSync(join(root, 'networks/names/town'), 'utf8')
    const record = join(root, 'networks', id, 'network.json')
    debian.host().run('mv', [record, `${record}.removed`])
    assert.match(
      (await debian.minictr('network', 'inspect', 'town')).stderr,
      /^minictr: network town not found\n/,
    )
    await debian.done('network', 'create', '--subnet', '10.50.0.0/24', 'town')
    assert.doesNotMatch(debian.host().run('ip', ['-o', 'link']), new RegExp(`minictr${id.slice(0, 8)}`))
  })
})
