// Beside the firewalls of distributions, real ones in a container that has the host's network: minictr changes nothing of theirs, and
// what it tells to type lets containers out, to their networks' names, and others in to published ports.

import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { pulledStore } from '../fixtures/debian-store.ts'
import { debianImageOf } from '../fixtures/image.ts'
import { unavailable, until, useNetworkedDebian } from './networked.ts'

const packages = ['ufw', 'firewalld', 'dbus', 'iptables', 'nftables', 'iproute2']

const firewalls = [
  {
    name: 'ufw',
    start: 'ufw --force enable && exec sleep 1000',
    isUp: 'ufw status | grep active',
    fromOutside: 'no answer',
  },
  {
    name: 'firewalld',
    start: 'mkdir -p /run/dbus && dbus-daemon --system --nopidfile && exec firewalld --nofork --nopid',
    isUp: 'firewall-cmd --state',
    // It lets in what leads to a published port.
    fromOutside: '192.0.2.2',
  },
]

describe('beside a firewall of the host', { skip: unavailable }, () => {
  const debian = useNetworkedDebian(async () =>
    pulledStore(await debianImageOf('firewalls', packages), 'firewalls:latest'),
  )

  afterEach(async () => {
    for (const name of ['web', 'app', ...firewalls.map(({ name }) => name)])
      await debian.minictr('rm', '-f', '-v', name)
    await debian.minictr('network', 'rm', 'town', 'village', 'hamlet')
    debian.host().nft('flush ruleset')
  })

  /** Its tables, without the counters of packets. */
  const rulesOfOthers = () => {
    const rules = debian.host().run('nft', ['--stateless', 'list', 'ruleset'])
    return rules.split(/^(?=table )/m).filter(table => !table.startsWith('table inet minictr '))
  }

  async function startFirewall({ name, start, isUp }: (typeof firewalls)[number]): Promise<void> {
    const flags = ['-d', '--name', name, '--privileged', '--network', 'host']
    await debian.done('run', ...flags, debian.store().image, 'sh', '-c', start)
    await until(
      `${name} is up`,
      async () => (await debian.minictr('exec', name, 'sh', '-c', isUp)).status === 0,
    )
  }

  for (const firewall of firewalls) {
    const { name } = firewall
    it(`${name}: containers are on the network once what is told has been typed`, async () => {
      await startFirewall(firewall)
      const before = rulesOfOthers()
      const { image } = debian.store()
      await debian.done('network', 'create', 'town')
      const run = ['run', '-d', '--name', 'web', '--network', 'town', '-p', '8080:80']
      const { status, stderr } = await debian.minictr(...run, image, 'sleep', '1000')
      assert.equal(status, 0)
      assert.match(stderr, new RegExp(`^WARNING: the firewall chains .* \\(of ${name}'s\\) drop what `))
      assert.deepEqual(rulesOfOthers(), before)
      // Whoever joins a network makes its bridge as well.
      await debian.done('network', 'create', 'village')
      const joining = await debian.minictr('network', 'connect', 'village', 'web')
      assert.deepEqual([joining.status, joining.stderr], [0, stderr])
      await debian.done('network', 'disconnect', 'village', 'web')
      await debian.container('app', '--network', 'town')
      const web = await debian.beside('web')
      const asked = () => debian.minictr('exec', 'web', 'timeout', '1', 'getent', 'hosts', 'app')
      assert.match(await web.ask('192.0.2.2'), /^(no answer|EHOSTUNREACH)$/)
      assert.equal(await debian.other().ask('192.0.2.1', 8080), firewall.fromOutside)
      assert.notEqual((await asked()).status, 0)

      const commands = stderr.split('\n').filter(line => line.startsWith('  '))
      for (const command of commands)
        await debian.done('exec', name, 'sh', '-c', `${command} > /dev/null 2>&1`)

      assert.equal(await web.ask('192.0.2.2'), '192.0.2.1')
      assert.equal(await debian.other().ask('192.0.2.1', 8080), '192.0.2.2')
      assert.match((await asked()).stdout, / app/)
      // Told once for all networks.
      await debian.done('network', 'create', 'hamlet')
      await debian.done('network', 'connect', 'hamlet', 'web')
      await debian.done('network', 'rm', 'village')
      await debian.done('network', 'create', 'village')
      await debian.done('run', '--rm', '--network', 'village', image, 'true')
    })
  }
})
