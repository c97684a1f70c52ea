// The proxy: which ports of the host it holds, what it relays, and when it ends.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { PublishedPort } from '../../src/runtime/op.ts'
import { Monitor } from '../../src/system/monitor.ts'
import { isThere, until } from './clients.ts'
import { call, NEW, succeed, temporaryDirectory } from './executors.ts'
import { inNetworks, Network } from './networks.ts'

const containerAddress = '172.30.0.2'

function tcp(hostAddress: string, hostPort: number, containerPort = 80): PublishedPort {
  return { protocol: 'tcp', hostAddress, hostPort, containerAddress, containerPort }
}

type Setting = {
  host: Network
  container: Network
  monitor: Monitor
  /** Publishes, and gives the proxy's PID. */
  publish(...ports: PublishedPort[]): Promise<number>
}

/** A monitor in a network namespace of its own, which is the host's, joined with that of a container. */
async function withMonitor(body: (setting: Setting) => Promise<void>): Promise<void> {
  await inNetworks(async (_, container) => {
    const monitor = Monitor.spawn({ stdin: 'ignore' })
    try {
      await succeed(monitor.host, call('unshare', NEW.net))
      const host = new Network(monitor.host, monitor.pid)
      const netns = { slot: 'container-network', pid: container.pid }
      await host.perform(
        { op: 'set_link', name: 'lo', up: true },
        { op: 'open', path: `/proc/${container.pid}/ns/net`, how: 'read', as: netns.slot },
        { op: 'create_veth', name: 'minictr-test1', up: true, peer: { name: 'eth0', netns } },
        { op: 'close', slot: netns.slot },
        { op: 'add_address', link: 'minictr-test1', address: '172.30.0.1/16' },
      )
      await container.perform(
        { op: 'set_link', name: 'eth0', up: true },
        { op: 'add_address', link: 'eth0', address: `${containerAddress}/16` },
        { op: 'add_route', destination: '0.0.0.0/0', gateway: '172.30.0.1' },
      )
      const publish = async (...ports: PublishedPort[]) =>
        (await host.perform({ op: 'publish', ports }))[0]!.result
      await body({ host, container, monitor, publish })
    } finally {
      await monitor.close()
    }
  })
}

/** A server in the container for as long as the test runs. */
async function serve(t: TestContext, container: Network, program: string): Promise<void> {
  t.after(await container.serve(program))
}

const echo = `net.createServer({ allowHalfOpen: true }, socket => socket.pipe(socket)).listen({ port: 80, backlog: 4096 }, ready)`

/** The proxy has told that it holds all ports before it closes the pipe by which it told. */
async function hasTold(pid: number): Promise<void> {
  await until(() => !readdirSync(`/proc/${pid}/fd`).includes('3'), 'the pipe is closed')
}

test('what comes to ::1 and to 127.0.0.1 is relayed, in both directions, whole', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(t, container, echo)
    await publish(tcp('::', 8080), tcp('0.0.0.0', 8080))
    for (const address of ['::1', '127.0.0.1']) {
      const same = await host.node(`
        const sent = require('node:crypto').randomBytes(20_000_000)
        const socket = net.connect(8080, '${address}')
        socket.end(sent)
        const chunks = await socket.toArray()
        console.log(Buffer.concat(chunks).equals(sent))`)
      assert.equal(same, 'true\n', address)
    }
  }))

test('a side that has ended still hears all that the other has to say', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(
      t,
      container,
      `const heard = Promise.withResolvers()
      net.createServer({ allowHalfOpen: true }, async socket => {
        socket.end('question')
        heard.resolve(await text(socket))
      }).listen(80)
      net.createServer({ allowHalfOpen: true }, async socket => {
        await text(socket)
        socket.end(await heard.promise)
      }).listen(81, ready)`,
    )
    await publish(tcp('::1', 8080), tcp('::1', 8081, 81))
    const said = await host.node(`
      const first = net.connect({ port: 8080, host: '::1', allowHalfOpen: true })
      const second = net.connect(8081, '::1').end()
      const question = await text(first)
      await new Promise(resolve => setTimeout(resolve, 20))
      first.end('the answer to the ' + question)
      console.log(await text(second))`)
    assert.equal(said, 'the answer to the question\n')
  }))

test('a port in use is told of, and none is held then', t =>
  withMonitor(async ({ host, publish }) => {
    await serve(t, host, `net.createServer().listen(8082, '127.0.0.1', ready)`)
    const ports = [tcp('0.0.0.0', 8080), { ...tcp('0.0.0.0', 8081), count: 3 }]
    const [answer] = await host.attempt({ op: 'publish', ports })
    assert.equal(answer!.errno, 'EADDRINUSE')
    assert.equal(String(answer!.data), 'tcp 0.0.0.0 8082')
    assert.doesNotMatch(host.run('ss', '-Hltn'), /:8080/)
    await publish(tcp('0.0.0.0', 8080), tcp('::', 8082), tcp('172.30.0.1', 8082))
  }))

test('addresses this host does not have, and ports that are none, are refused', () =>
  withMonitor(async ({ host }) => {
    const refused: [PublishedPort, string, string][] = [
      [tcp('10.99.0.1', 8080), 'EADDRNOTAVAIL', 'tcp 10.99.0.1 8080'],
      [tcp('10.99.0', 8080), 'EINVAL', 'tcp 10.99.0 0'],
      [{ ...tcp('0.0.0.0', 65_535), count: 2 }, 'EINVAL', 'tcp 0.0.0.0 0'],
    ]
    for (const [port, errno, name] of refused) {
      const [answer] = await host.attempt({ op: 'publish', ports: [port] })
      assert.deepEqual([answer!.errno, String(answer!.data)], [errno, name])
    }
  }))

test('a held port is nobody else’s, until unpublish', () =>
  withMonitor(async ({ host, publish }) => {
    const udp = { ...tcp('0.0.0.0', 8080), protocol: 'udp' as const }
    const pid = await publish(tcp('0.0.0.0', 8080), udp)
    const bind = `
      const result = socket =>
        new Promise(resolve => socket.on('error', ({ code }) => resolve(code)).on('listening', () => resolve('bound')))
      const server = net.createServer().listen(8080, '127.0.0.1')
      const socket = dgram.createSocket('udp4').bind(8080)
      console.log((await Promise.all([result(server), result(socket)])).join(' '))
      process.exit()`
    assert.equal(await host.node(bind), 'EADDRINUSE EADDRINUSE\n')
    assert.equal(await host.errnoOf({ op: 'publish', ports: [tcp('0.0.0.0', 8081)] }), 'EBUSY')
    await host.perform({ op: 'unpublish' })
    assert.equal(isThere(pid), false)
    assert.equal(await host.node(bind), 'bound bound\n')
    await host.perform({ op: 'unpublish' })
  }))

test('a thousand ports in a row lead to as many of the container’s', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(t, container, `net.createServer(s => s.end('last')).listen(10_999, ready)`)
    await publish({ ...tcp('::', 20_000, 10_000), count: 1000 })
    assert.equal(await host.node(`console.log(await text(net.connect(20_999, '::1')))`), 'last\n')
  }))

test('a thousand connections at once are relayed, and leave nothing behind', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(t, container, echo)
    const pid = await publish(tcp('::1', 8080))
    const descriptors = () => readdirSync(`/proc/${pid}/fd`).length
    const before = descriptors()
    const said = await host.node(`
      const sockets = await Promise.all(Array.from({ length: 1000 }, async () => {
        const socket = net.connect(8080, '::1')
        await once(socket, 'connect')
        return socket
      }))
      const texts = await Promise.all(sockets.map((socket, i) => (socket.end('number ' + i), text(socket))))
      console.log(texts.every((text, i) => text === 'number ' + i))`)
    assert.equal(said, 'true\n')
    await until(() => descriptors() === before, 'all are closed')
  }))

test('who does not read is waited for, without keeping what was sent', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(
      t,
      container,
      `net.createServer(socket => {
        socket.end(Buffer.alloc(100_000_000, 'x'))
      }).listen(80, ready)`,
    )
    const pid = await publish(tcp('::1', 8080))
    const sizeBytes = host.node(`
      const socket = net.connect(8080, '::1')
      await new Promise(resolve => setTimeout(resolve, 500))
      let size = 0
      for await (const chunk of socket) size += chunk.length
      console.log(size)`)
    assert.equal(await sizeBytes, '100000000\n')
    const peakKb = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
    assert.ok(peakKb < 4096, `${peakKb} kB`)
  }))

test('a connection that is refused or cut is cut on the other side as well', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(
      t,
      container,
      `net.createServer(socket => socket.once('data', () => socket.resetAndDestroy())).listen(80, ready)`,
    )
    await publish(tcp('::1', 8080), tcp('::1', 8081, 81))
    for (const port of [8080, 8081]) {
      const said = await host.node(`
        const socket = net.connect(${port}, '::1')
        socket.write('x')
        await text(socket).then(() => console.log('ended'), ({ code }) => console.log(code))`)
      assert.equal(said, 'ECONNRESET\n')
    }
  }))

test('what was on its way when a connection was cut reaches no other one', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(
      t,
      container,
      `let count = 0
      net.createServer(socket => {
        socket.on('error', () => {})
        if (count++ % 2) socket.pipe(socket)
        else socket.once('data', () => socket.resetAndDestroy())
      }).listen(80, ready)`,
    )
    await publish(tcp('::1', 8080))
    const said = await host.node(`
      for (let round = 0; round < 20; round++) {
        const cut = net.connect(8080, '::1').on('error', () => {})
        cut.write('a'.repeat(4_000_000))
        await new Promise(resolve => cut.once('close', resolve))
        const whole = net.connect(8080, '::1')
        whole.end('b')
        console.log(await text(whole))
      }`)
    assert.equal(said, 'b\n'.repeat(20))
  }))

test('the kernel’s translation comes before the proxy’s sockets', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(t, container, echo)
    const pid = await publish(tcp('0.0.0.0', 8080))
    await hasTold(pid)
    const before = readdirSync(`/proc/${pid}/fd`).length
    await host.perform({
      op: 'nft',
      commands: [
        'add table ip minictr-test',
        'add chain ip minictr-test output { type nat hook output priority -100; }',
        'add rule ip minictr-test output ip daddr 172.30.0.1 tcp dport 8080 dnat to 172.30.0.2:80',
      ].join('\n'),
    })
    const close = await host.serve(`
      const socket = net.connect(8080, '172.30.0.1').once('data', ready)
      socket.write('x')`)
    try {
      assert.equal(readdirSync(`/proc/${pid}/fd`).length, before)
    } finally {
      close()
    }
  }))

test('datagrams: each sender gets its answers, from the address it asked', t =>
  withMonitor(async ({ host, container, publish }) => {
    await serve(
      t,
      container,
      `const server = dgram.createSocket('udp4')
      server.on('message', (text, { port, address }) => server.send('re: ' + text, port, address)).bind(53, ready)`,
    )
    const udp = { ...tcp('0.0.0.0', 5353, 53), protocol: 'udp' as const }
    await publish(udp, { ...udp, hostAddress: '::' })
    const said = await host.node(`
      const ask = async (type, address, question) => {
        const socket = dgram.createSocket(type)
        socket.send(question, 5353, address)
        const [answer, from] = await once(socket, 'message')
        socket.close()
        return answer + ' from ' + from.address
      }
      const all = ['a', 'b', 'c'].map(letter => ask('udp4', '127.0.0.5', letter))
      console.log((await Promise.all([...all, ask('udp6', '::1', 'd')])).join(', '))`)
    assert.equal(said, 're: a from 127.0.0.5, re: b from 127.0.0.5, re: c from 127.0.0.5, re: d from ::1\n')
  }))

test('datagrams to where nobody listens yet are lost, later ones are not', t =>
  withMonitor(async ({ host, container, publish }) => {
    const pid = await publish({ ...tcp('127.0.0.1', 5353, 53), protocol: 'udp' })
    await host.node(`
      const socket = dgram.createSocket('udp4')
      for (let i = 0; i < 3; i++) await new Promise(resolve => socket.send('lost', 5353, '127.0.0.1', resolve))
      socket.close()`)
    await serve(
      t,
      container,
      `const server = dgram.createSocket('udp4')
      server.on('message', (text, { port, address }) => server.send(text, port, address)).bind(53, ready)`,
    )
    const said = await host.node(`
      const socket = dgram.createSocket('udp4')
      socket.send('heard', 5353, '127.0.0.1')
      const [answer] = await once(socket, 'message')
      console.log(String(answer))
      socket.close()`)
    assert.equal(said, 'heard\n')
    assert.equal(isThere(pid), true)
  }))

test('SCTP ports are held where the kernel has the protocol, and are nobody’s where it has not', t =>
  withMonitor(async ({ host, publish }) => {
    await publish({ ...tcp('0.0.0.0', 8080), protocol: 'sctp' })
    const isKnown = /^SCTP /m.test(readFileSync('/proc/net/protocols', 'utf8'))
    if (!isKnown) return t.skip('this kernel has no SCTP: only that it is no error was tested')
    assert.match(host.run('ss', '-Hlan', '--sctp'), /:8080/)
  }))

test('the proxy is nobody, has nothing of the monitor’s, and is seen by its ports', () =>
  withMonitor(async ({ monitor, publish }) => {
    await succeed(monitor.host, call('open', '', '/proc/self', 2, 20))
    const pid = await publish(tcp('0.0.0.0', 8080))
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    assert.match(status, /^Name:\tminictr-proxy$/m)
    assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m)
    assert.match(status, /^Groups:\t\s*$/m)
    assert.match(status, /^CapPrm:\t0+$/m)
    await hasTold(pid)
    const open = readdirSync(`/proc/${pid}/fd`).map(fd => readlinkSync(`/proc/${pid}/fd/${fd}`))
    const kinds = open.map(link => link.replace(/:?\[.*/, '')).sort()
    // Both ends of the pipe are its own: by it bytes go from one socket to another.
    assert.deepEqual(kinds, ['/dev/null', '/dev/null', '/dev/null', 'anon_inode', 'pipe', 'pipe', 'socket'])
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ')
    assert.equal(command, 'minictr-helper proxy tcp 0.0.0.0 8080 172.30.0.2 80 1 ')
  }))

test('the proxy ends with the container, before its end is told', () =>
  withMonitor(async ({ monitor, publish }) => {
    const pid = await publish(tcp('0.0.0.0', 8080))
    const [spawned] = await succeed(monitor.host, call('spawn_init', 0, 0))
    await succeed(monitor.host, call('watch', spawned!.result))
    await monitor.init.perform([call('execve', ['/bin/sh'], ['sh', '-c', 'exit 3'], [])])
    assert.equal((await monitor.exit()).status, 3)
    assert.equal(isThere(pid), false)
  }))

test('the proxy ends with its monitor, however that ends', async () => {
  for (const end of ['close', 'kill'] as const) {
    await withMonitor(async ({ monitor, publish }) => {
      const pid = await publish(tcp('0.0.0.0', 8080))
      if (end === 'kill') process.kill(monitor.pid, 'SIGKILL')
      else await monitor.close()
      await until(() => !isThere(pid), 'the proxy ends')
    })
  }
})

test('a proxy that was killed is not missed', () =>
  withMonitor(async ({ host, monitor, publish }) => {
    const pid = await publish(tcp('0.0.0.0', 8080))
    const [spawned] = await succeed(monitor.host, call('spawn_init', 0, 0))
    await succeed(monitor.host, call('watch', spawned!.result))
    process.kill(pid, 'SIGKILL')
    await until(() => !isThere(pid), 'the proxy ends')
    await publish(tcp('0.0.0.0', 8080))
    await host.perform({ op: 'unpublish' })
  }))

test('hold_ports does the same in the background, until the container’s process or end_server ends it', t =>
  withMonitor(async ({ host, container, monitor }) => {
    await serve(t, container, echo)
    const pidFile = join(temporaryDirectory(t), 'holder.pid')
    const program = spawn('sleep', ['1000'])
    t.after(() => program.kill('SIGKILL'))
    const hold = { op: 'hold_ports' as const, ports: [tcp('0.0.0.0', 8080)], pidFile, pid: program.pid! }
    const holder = () => Number(readFileSync(pidFile, 'utf8'))
    const said = () =>
      host.node(`
        const socket = net.connect(8080, '127.0.0.1')
        socket.end('said')
        console.log(await text(socket))`)
    await host.perform(hold)
    const first = holder()
    assert.equal(await said(), 'said\n')
    const parent = /^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${first}/status`, 'utf8'))![1]
    assert.notEqual(parent, String(monitor.pid))
    assert.match(readFileSync(`/proc/${first}/status`, 'utf8'), /^Uid:\t65534\t/m)

    const [answer] = await host.attempt({ ...hold, pidFile: `${pidFile}2` })
    assert.equal(answer!.errno, 'EADDRINUSE')
    assert.match(String(answer!.data), /^tcp 0\.0\.0\.0 8080\s/)

    await host.perform({ op: 'end_server', pidFile, timeoutMs: 10_000 }, hold)
    assert.equal(await said(), 'said\n')
    const second = holder()
    program.kill('SIGKILL')
    await until(() => !isThere(second), 'it ends with the container')
    const [gone] = await host.attempt(hold)
    assert.equal(gone!.errno, 'ESRCH')
  }))
