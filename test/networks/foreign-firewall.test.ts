// Beside a firewall of somebody else that drops what is forwarded: it is found, and what is told to do about it works.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { chainsOf, firewallAdvice } from '../../src/containers/firewall-advice.ts'
import { askFilter } from '../../src/containers/packet-filter.ts'
import { describeDrops, foreignDrops, legacyDrops } from '../../src/networks/foreign-firewall.ts'
import { addNetworkRules, addPortRules, baseRuleset } from '../../src/networks/ruleset.ts'
import { type Executor, spawnExecutor } from '../../src/system/executor.ts'
import { connect, Machine, missingTools } from './laboratory.ts'

describe('beside a foreign firewall', { skip: missingTools('nft'), timeout: 60_000 }, () => {
  let machines: Machine[] = []
  let host: Machine
  let other: Machine
  let container: Machine
  // In place of /run/xtables.lock, which iptables would leave behind.
  const lock = join(tmpdir(), `minictr-xtables-${process.pid}.lock`)
  process.env.XTABLES_LOCKFILE = lock

  beforeEach(async () => {
    await stop()
    machines = await Promise.all([Machine.start(), Machine.start(), Machine.start()])
    ;[host, other, container] = machines as [Machine, Machine, Machine]
    connect(host, 'uplink', other, 'eth0')
    host.ip('address add 192.0.2.1/24 dev uplink')
    other.ip('address add 192.0.2.2/24 dev eth0')
    host.sysctl({ 'ipv4/ip_forward': 1 })
    connect(host, 'mctr0', container, 'eth0')
    host.ip(`link add minictr0 type bridge
      address add 172.17.0.1/16 dev minictr0
      link set mctr0 master minictr0
      link set minictr0 up`)
    container.ip('address add 172.17.0.2/16 dev eth0\nroute add default via 172.17.0.1')
    const network = {
      bridge: 'minictr0',
      subnets: ['172.17.0.0/16'],
      isInternal: false,
      isMasqueraded: true,
    }
    const port = {
      protocol: 'tcp',
      hostPort: 8080,
      containerAddress: '172.17.0.2',
      containerPort: 80,
    } as const
    host.nft(baseRuleset + addNetworkRules(network) + addPortRules([port]))
  })

  const stop = () => Promise.all(machines.map(machine => machine.stop()))
  after(async () => {
    await stop()
    rmSync(lock, { force: true })
  })

  /** By an executor that stands in the host's namespace. */
  async function inHost<T>(ask: (executor: Executor) => Promise<T>): Promise<T> {
    const { executor, close } = spawnExecutor()
    try {
      const args = ['', `/proc/${host.pid}/ns/net`, 2, 0]
      await executor.perform([
        { name: 'open', args },
        { name: 'setns', args: [0, 0x40000000] },
      ])
      return await ask(executor)
    } finally {
      await close()
    }
  }

  const drops = () =>
    inHost(async executor => {
      const chains = (await chainsOf(askFilter(executor)))!
      return describeDrops(foreignDrops(chains, false), chains)
    })
  const advice = (hasServer = false) =>
    inHost(async executor => {
      const filter = askFilter(executor)
      return firewallAdvice((await chainsOf(filter))!, hasServer, filter)
    })
  const answers = async () => [await container.ask('192.0.2.2'), await other.ask('192.0.2.1', 8080)]

  async function assertHelps(commands: string[]): Promise<void> {
    assert.deepEqual(await answers(), ['no answer', 'no answer'])
    for (const command of commands) host.run('sh', ['-c', command])
    assert.deepEqual(await answers(), ['192.0.2.1', '192.0.2.2'])
  }

  it('there is nothing to tell where nobody drops', async () => {
    host.nft('table inet other { chain in { type filter hook input priority 0; policy drop; }; }')
    host.nft('table inet open { chain forward { type filter hook forward priority 0; policy accept; }; }')
    assert.deepEqual(await drops(), [])
  })

  it('a chain of nobody known is opened with nft', async () => {
    host.nft('table ip guard { chain forward { type filter hook forward priority 0; policy drop; }; }')
    const [drop, ...more] = await drops()
    assert.deepEqual(more, [])
    assert.deepEqual(drop?.chains, ['ip guard forward'])
    assert.equal(drop?.owner, undefined)
    assert.match((await advice())[0]!, /ip guard forward drops .*nft insert rule ip guard forward/s)
    await assertHelps(drop!.remedy)
    assert.deepEqual(await advice(), [], 'nothing is told once it is so')
  })

  it('one that drops what comes to this host is opened for the names of networks', async () => {
    host.nft('table inet guard { chain in { type filter hook input priority 0; policy drop; }; }')
    assert.deepEqual(await advice(), [])
    const [told, ...more] = await advice(true)
    assert.deepEqual(more, [])
    assert.equal(await container.ask('172.17.0.1', 53), 'no answer')
    const commands = told!.split('\n').filter(line => line.startsWith('  '))
    for (const command of commands) host.run('sh', ['-c', command])
    assert.equal(await container.ask('172.17.0.1', 53), 'ECONNREFUSED', 'nobody listens in this test')
    assert.deepEqual(await advice(true), [], 'nothing is told once it is so')
  })

  it('Docker’s is opened in the chain that Docker leaves to users', async t => {
    if (host.try('iptables-nft', ['--version']).status !== 0) return t.skip('iptables-nft is not installed')
    host.run('iptables-nft', ['-N', 'DOCKER-USER'])
    host.run('iptables-nft', ['-A', 'FORWARD', '-j', 'DOCKER-USER'])
    host.run('iptables-nft', ['-P', 'FORWARD', 'DROP'])
    const [drop, ...more] = await drops()
    assert.deepEqual(more, [])
    assert.deepEqual(drop?.chains, ['ip filter FORWARD'])
    assert.equal(drop?.owner, 'Docker')
    assert.match((await advice())[0]!, /of Docker's/)
    await assertHelps(drop!.remedy.map(command => command.replace('iptables', 'iptables-nft')))
    assert.deepEqual(await advice(), [])
  })

  it('so are the rules of the older iptables', async t => {
    if (host.try('iptables-legacy', ['--version']).status !== 0)
      return t.skip('iptables-legacy is not installed')
    host.run('iptables-legacy', ['-P', 'FORWARD', 'DROP'])
    assert.deepEqual(await drops(), [])
    const [drop] = legacyDrops(host.run('iptables-legacy', ['-S']), 'iptables-legacy', false)
    assert.deepEqual(drop?.chains, ['iptables-legacy FORWARD'])
    await assertHelps(drop!.remedy)
  })
})
