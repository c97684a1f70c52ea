// docs/tutorial-web.md, typed as it stands there, and what else is true meanwhile: what another host, other containers and this
// host get to see; afterwards nothing of it is left.

import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { executable } from '../fixtures/command-line.ts'
import { type DebianStore, pulledStore } from '../fixtures/debian-store.ts'
import { type Exercise, isShown, readTutorial } from '../fixtures/tutorial.ts'
import { webImage, webPackages } from '../fixtures/web-image.ts'
import { missingTools } from '../networks/laboratory.ts'
import { assertNothingLeft } from './debian.ts'
import { Host } from './host.ts'

const page = join(import.meta.dirname, '../../docs/tutorial-web.md')
const chapters = readTutorial(page)
/** What the page calls the image; in the test's registry it has another name. */
const IMAGE = 'localhost:5000/web'
/** Long enough for a web server to start on a busy machine. */
const START_MS = 30_000

describe('docs/tutorial-web.md', { skip: missingTools('curl', 'nft', 'openssl', 'ss') }, () => {
  let store: DebianStore
  let host: Host
  /** Where everything is typed. */
  let directory = ''
  let untouched: string[]

  before(async () => {
    store = await pulledStore(await webImage(), 'web:latest')
    directory = mkdtempSync(join(store.root, '../tutorial-'))
    chmodSync(directory, 0o755) // Apache and nginx read as www-data
    // Its run root is the usual one, which is the host's own here.
    const globals = ['--root', store.root, '--config', join(store.root, '../config.json')]
    const words = [executable, ...globals].map(word => `'${word}'`).join(' ')
    writeFileSync(join(directory, '../minictr'), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
    host = await Host.start()
    untouched = host.network()
  })

  // What a failed chapter did not take away is not there in the next one.
  afterEach(() => {
    type(
      'minictr ps --all --quiet | xargs --no-run-if-empty minictr rm --force; minictr network prune --force',
    )
  })

  after(async () => {
    await host?.stop()
    if (!store) return
    await assertNothingLeft(store)
    store.remove()
  })

  /** Types commands on the host: what they print, errors too, and the status of the first that failed with `set -e`. */
  function tryTyping(commands: string, options = ''): { printed: string; status: number | null } {
    const setup = `cd '${directory}'; PATH='${join(directory, '..')}':$PATH; exec 2>&1\n${options}\n`
    const { stdout, status } = host.try('bash', ['-c', setup + commands.replaceAll(IMAGE, store.image)])
    return { printed: stdout.trimEnd(), status }
  }

  const type = (commands: string) => tryTyping(commands).printed

  /** The same, where another host has the cable. */
  const typeElsewhere = (command: string) => type(`ip netns exec other ${command}`)

  /** Types commands, and compares what is printed. A server takes a moment to start, so curl is typed again. */
  async function assertPrints(commands: string, prints: string, message?: string): Promise<void> {
    const deadline = Date.now() + START_MS
    let printed = type(commands)
    while (/\bcurl\b/.test(commands) && !isShown(printed, prints) && Date.now() < deadline) {
      await sleep(200)
      printed = type(commands)
    }
    if (!isShown(printed, prints)) assert.equal(printed, prints, message)
  }

  async function perform({ commands, prints, line }: Exercise): Promise<void> {
    if (prints !== undefined) return await assertPrints(commands, prints, `line ${line}`)
    const { printed, status } = tryTyping(commands, 'set -e')
    assert.equal(status, 0, `line ${line}: ${printed}`)
  }

  /** Follows a chapter but for its last exercise, which takes everything away: that is typed after `meanwhile`. */
  async function follow(title: string, meanwhile: () => Promise<void> | void = () => {}): Promise<void> {
    const { exercises } = chapters.find(chapter => chapter.title === title)!
    for (const exercise of exercises.slice(0, -1)) await perform(exercise)
    await meanwhile()
    await perform(exercises.at(-1)!)
  }

  it('makes its image of the packages that this one is made of', () => {
    const [{ commands }] = chapters.find(({ title }) => title === 'An image')!.exercises as [Exercise]
    assert.deepEqual(/--include=(\S+)/.exec(commands)?.[1]?.split(','), webPackages)
  })

  it('reaches another host', () => follow('Another host'))

  it('puts nginx in front of an application, both in the host’s network', async () => {
    const before = host.network()
    await follow('The host’s own network', () => {
      assert.deepEqual(host.networkChanges(before), [])
      assert.equal(type('minictr exec web ip -brief address'), type('ip -brief address'))
      assert.equal(typeElsewhere('curl -sS http://192.0.2.1:9000/').slice(0, 10), 'curl: (7) ')
    })
  })

  it('puts it in front by a link', () =>
    follow('A link', async () => {
      await assertPrints('curl -s http://[::1]/', 'Host: [::1]\nX-Forwarded-For: …\nAsked by: 172.17.0.3')
      const asked = 'Host: 192.0.2.1\nX-Forwarded-For: …\nAsked by: 172.17.0.3'
      const container = `minictr run --rm ${IMAGE}`
      assert.ok(isShown(type(`${container} curl -s http://192.0.2.1/`), asked), 'by the host’s address')
      assert.equal(type(`${container} sh -c 'getent hosts backend || echo nobody'`), 'nobody')
      assertSilent(typeElsewhere, '192.0.2.1:9000', '172.17.0.2:9000', '172.17.0.3:80', '127.0.0.1:80')
    }))

  it('puts it in front in a network with names', () =>
    follow('A network with names', () => {
      assert.equal(type('minictr restart --time 1 app'), 'app')
      assert.match(type('minictr exec web getent hosts app'), /^10\.80\.0\.4 /)
      const stranger = (command: string) => type(`minictr run --rm ${IMAGE} ${command}`)
      assert.equal(stranger(`sh -c 'getent hosts app || echo nobody'`), 'nobody')
      assertSilent(stranger, '10.80.0.2:80', '10.80.0.4:9000')
    }))

  it('puts TLS in front of three', () =>
    follow('TLS in front of three', async () => {
      assertSilent(typeElsewhere, '10.81.0.2:80', '10.81.0.4:80', '192.0.2.1:8081')
      const log = type('minictr exec green cat /var/log/apache2/access.log')
      const ask = 'curl -s --cacert tls.crt --connect-to ::192.0.2.1:'
      assert.equal(typeElsewhere('curl -s http://192.0.2.1:8080/'), 'green')
      const seen = type('minictr exec green cat /var/log/apache2/access.log').slice(log.length)
      assert.match(seen.trim(), /^192\.0\.2\.2 - - .* "GET \/ HTTP\/1\.1" 200 /, 'the client’s own address')
      assert.equal(
        typeElsewhere(`${ask} https://pink.test/; echo $?`),
        '60',
        'no such name in the certificate',
      )
      assert.equal(typeElsewhere('curl -s https://192.0.2.1/; echo $?'), '60', 'nobody known has signed it')

      // Blue comes back with another address.
      const { exercises } = chapters.find(({ title }) => title === 'TLS in front of three')!
      const blue = /^minictr run .*--name blue .*$/m.exec(exercises[0]!.commands)?.[0]
      type(
        `minictr rm -f blue; minictr run -d --name passer-by --network services ${IMAGE} sleep 1000; ${blue}`,
      )
      await assertPrints(
        `ip netns exec other ${ask} https://blue.test/`,
        'Host: blue.test\nX-Forwarded-For: 192.0.2.2\nAsked by: 10.81.0.5',
      )
      assert.match(type('minictr exec red getent hosts blue'), /^10\.81\.0\.6 /)
      type('minictr rm -f passer-by')
    }))

  it('gives Apache a firewall of its own', () =>
    follow('A firewall of its own', async () => {
      const before = host.network()
      type(`minictr exec fort iptables -A INPUT -p tcp --dport 80 -s 192.0.2.2 -j REJECT --reject-with tcp-reset
        minictr exec fort ip link set tun0 up`)
      assert.deepEqual(host.networkChanges(before), [])
      assert.match(
        typeElsewhere('curl -sS http://192.0.2.1/'),
        /^curl: \((7|56)\) /,
        'told from others by its address',
      )
      assert.equal(type('curl -s http://localhost/'), 'a fortress')
      assert.match(type('minictr exec fort ping -c 1 172.17.0.1'), / 0% packet loss/)
      const tun = `${IMAGE} ip tuntap add tun0 mode tun; echo $?`
      assert.match(type(`minictr run --rm --cap-add NET_ADMIN ${tun}`), /\n1$/, 'without its device')
      assert.match(type(`minictr run --rm --device /dev/net/tun ${tun}`), /\n1$/, 'without NET_ADMIN')
    }))

  it('leaves nothing', async () => {
    await follow('Nothing is left')
    assert.match(
      host.networkChanges(untouched).join('\n'),
      /\+ .*ip_forward:1/,
      'which may be others’ by now',
    )
    host.sysctl({ 'ipv4/ip_forward': 0 })
    assert.deepEqual(host.networkChanges(untouched), [])
    assert.deepEqual(host.processes(), [])
  })

  /** Nobody answers at these addresses, whether packets are refused or lost. */
  function assertSilent(typed: (command: string) => string, ...addresses: string[]): void {
    for (const address of addresses) {
      const status = typed(`sh -c 'curl -s --max-time 1 http://${address}/; echo $?'`)
      assert.ok(status === '7' || status === '28', `${address}: ${status}`)
    }
  }
})
