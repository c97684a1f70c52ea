// Ports as they are typed, chosen, and shown in lists; errors in Docker's words.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { choosePorts, type PortBinding, type TakenPort } from '../../../src/networks/port-bindings.ts'
import { listPorts } from '../../../src/networks/port-list.ts'
import { type PortWish, parseExpose, parseImagePorts, parsePublish } from '../../../src/networks/ports.ts'
import { parseSockets } from '../../../src/networks/sockets.ts'

const tcp = (port: number, hostPorts?: [number, number?], hostAddress?: string): PortWish => ({
  port,
  protocol: 'tcp',
  ...(hostAddress !== undefined && { hostAddress }),
  ...(hostPorts && { hostPorts: { first: hostPorts[0], last: hostPorts[1] ?? hostPorts[0] } }),
})

describe('a published port', () => {
  const read: [text: string, wishes: PortWish[]][] = [
    ['80', [tcp(80)]],
    [':80', [tcp(80)]],
    ['0:80', [tcp(80)]],
    ['8080:80', [tcp(80, [8080])]],
    ['8080:80/TCP', [tcp(80, [8080])]],
    ['8080:80/', [tcp(80, [8080])]],
    ['53:53/udp', [{ port: 53, protocol: 'udp', hostPorts: { first: 53, last: 53 } }]],
    ['9:9/sctp', [{ port: 9, protocol: 'sctp', hostPorts: { first: 9, last: 9 } }]],
    ['127.0.0.1:8080:80', [tcp(80, [8080], '127.0.0.1')]],
    ['127.0.0.1::80', [tcp(80, undefined, '127.0.0.1')]],
    ['[::1]:8080:80', [tcp(80, [8080], '::1')]],
    ['::1:8080:80', [tcp(80, [8080], '::1')]],
    ['[fd00::1]::80', [tcp(80, undefined, 'fd00::1')]],
    ['8080-8081:80-81', [tcp(80, [8080]), tcp(81, [8081])]],
    ['80-81', [tcp(80), tcp(81)]],
    ['8080-8085:80', [tcp(80, [8080, 8085])]],
    ['published=8080,target=80', [tcp(80, [8080])]],
    ['target=80,protocol=tcp,mode=host', [tcp(80)]],
  ]
  for (const [text, wishes] of read) it(text, () => assert.deepEqual(parsePublish(text), wishes))

  const refused: [text: string, message: string][] = [
    ['', 'no port specified: <empty>'],
    ['80:', 'no port specified: 80:<empty>'],
    ['80:/tcp', 'no port specified: 80:/tcp<empty>'],
    ['80:90/foo', 'invalid proto: foo'],
    ['80:90/tcp/udp', 'invalid proto: tcp/udp'],
    ['x:80:90', 'invalid IP address: x'],
    ['1.2.3.4.5:80:90', 'invalid IP address: 1.2.3.4.5'],
    ['[::1:80:90', "invalid IP address [::1: address [::1: missing ']' in address"],
    ['80-82:90-91', 'invalid ranges specified for container and host Ports: 90-91 and 80-82'],
    ['80:90-80', 'invalid containerPort: 90-80'],
    ['80:65536', 'invalid containerPort: 65536'],
    ['80:0', 'invalid containerPort: 0'],
    ['65536:80', 'invalid hostPort: 65536'],
    ['-1:80', 'invalid hostPort: -1'],
    ['80/udp:80', 'invalid hostPort: 80/udp'],
    ['published=80,target', "invalid publish opts format (should be name=value but got 'target')"],
  ]
  for (const [text, message] of refused) {
    it(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parsePublish(text), { message }))
  }
})

describe('an exposed port', () => {
  it('is one, or a range', () => {
    assert.deepEqual(parseExpose('80'), [{ port: 80, protocol: 'tcp' }])
    assert.deepEqual(parseExpose('80-81/udp'), [
      { port: 80, protocol: 'udp' },
      { port: 81, protocol: 'udp' },
    ])
  })

  const refused: [text: string, message: string][] = [
    ['80:90', 'invalid port format for --expose: 80:90'],
    ['90-80', 'invalid range format for --expose: 90-80, error: invalid range specified for port: 90-80'],
    ['x', 'invalid range format for --expose: x, error: strconv.ParseUint: parsing "x": invalid syntax'],
    ['', 'invalid range format for --expose: , error: empty string specified for ports'],
    [
      '70000',
      'invalid range format for --expose: 70000, error: strconv.ParseUint: parsing "70000": value out of range',
    ],
    ['80/foo', 'invalid proto: foo'],
  ]
  for (const [text, message] of refused) {
    it(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseExpose(text), { message }))
  }

  it('of an image is passed over where it makes no sense', () => {
    assert.deepEqual(parseImagePorts({ '80/tcp': {}, 'x/y': {}, '53/udp': {} }), [
      { port: 80, protocol: 'tcp' },
      { port: 53, protocol: 'udp' },
    ])
  })
})

function choose(published: string[], more: Partial<Parameters<typeof choosePorts>[0]> = {}): string[] {
  const bindings = choosePorts({
    published: published.flatMap(parsePublish),
    exposed: [],
    publishesAll: false,
    hostAddresses: ['0.0.0.0', '::'],
    taken: [],
    ephemeral: { first: 32768, last: 32770 },
    ...more,
  })
  return bindings.map(each => `${each.hostAddress} ${each.hostPort} ${each.port}/${each.protocol}`)
}

describe('the ports of the host', () => {
  const web: TakenPort = { protocol: 'tcp', address: '0.0.0.0', port: 8080, container: 'web' }
  const nginx: TakenPort = { protocol: 'tcp', address: '::', port: 80, program: () => 'nginx (PID 812)' }

  it('are bound at all addresses, or at the one that is named', () => {
    assert.deepEqual(choose(['8080:80']), ['0.0.0.0 8080 80/tcp', ':: 8080 80/tcp'])
    assert.deepEqual(choose(['127.0.0.1:8080:80']), ['127.0.0.1 8080 80/tcp'])
    assert.deepEqual(choose(['8080:80'], { hostAddresses: ['192.0.2.1'] }), ['192.0.2.1 8080 80/tcp'])
  })

  it('are chosen where nobody names one', () => {
    const taken = [{ ...web, port: 32768 }]
    assert.deepEqual(choose(['80', '81', '80/udp'], { taken, hostAddresses: ['0.0.0.0'] }), [
      '0.0.0.0 32769 80/tcp',
      '0.0.0.0 32770 81/tcp',
      '0.0.0.0 32768 80/udp',
    ])
  })

  it('are free in both families', () => {
    assert.deepEqual(choose(['80-81:443'], { taken: [nginx] }), ['0.0.0.0 81 443/tcp', ':: 81 443/tcp'])
  })

  it('are taken from a range so that others get theirs', () => {
    assert.deepEqual(choose(['7000-7001:80', '7000:443'], { hostAddresses: ['0.0.0.0'] }), [
      '0.0.0.0 7001 80/tcp',
      '0.0.0.0 7000 443/tcp',
    ])
  })

  it('lead to exposed ports with -P, but for those that -p has published', () => {
    const exposed = [
      { port: 80, protocol: 'tcp' as const },
      { port: 443, protocol: 'tcp' as const },
    ]
    const all = { exposed, publishesAll: true, hostAddresses: ['0.0.0.0'] }
    assert.deepEqual(choose(['8080:80'], all), ['0.0.0.0 8080 80/tcp', '0.0.0.0 32768 443/tcp'])
    assert.deepEqual(choose(['8080:80'], { ...all, publishesAll: false }), ['0.0.0.0 8080 80/tcp'])
  })

  it('asked for twice in the same words are one', () => {
    assert.deepEqual(choose(['80:80', '80:80'], { hostAddresses: ['0.0.0.0'] }), ['0.0.0.0 80 80/tcp'])
    assert.equal(choose(['80', '80'], { hostAddresses: ['0.0.0.0'] }).length, 2)
  })

  it('do not stand in each other’s way at different addresses or of another protocol', () => {
    const at = (address: string) => ({ taken: [{ ...web, address }] })
    assert.equal(choose(['127.0.0.2:8080:80'], at('127.0.0.1')).length, 1)
    assert.equal(choose(['0.0.0.0:8080:80'], at('::')).length, 1)
    assert.equal(choose(['8080:80/udp'], at('0.0.0.0')).length, 2)
  })

  const refused: [title: string, published: string[], taken: TakenPort[], error: object][] = [
    [
      'a container has it',
      ['8080:80'],
      [web],
      {
        message: 'Bind for 0.0.0.0:8080 failed: port is already allocated',
        remedy: 'Container web has it: publish another port, or minictr stop web',
      },
    ],
    [
      'a container has it at one address',
      ['8080:80'],
      [{ ...web, address: '127.0.0.1' }],
      { message: 'Bind for 0.0.0.0:8080 failed: port is already allocated' },
    ],
    [
      'a program has it',
      ['[::1]:80:80'],
      [nginx],
      {
        message: 'failed to bind host port [::1]:80/tcp: address already in use',
        remedy: 'It is in use by nginx (PID 812): publish another port, or stop that program.',
      },
    ],
    [
      'another flag has it',
      ['80:80', '80:81'],
      [],
      {
        message: 'Bind for 0.0.0.0:80 failed: port is already allocated',
        remedy: 'The same port of the host was asked for twice.',
      },
    ],
    [
      'all of a range are taken',
      ['8080-8081:80'],
      [web, { ...web, port: 8081 }],
      { message: 'Bind for 0.0.0.0:8080-8081 failed: all ports are allocated' },
    ],
  ]
  for (const [title, published, taken, error] of refused) {
    it(`are refused: ${title}`, () => assert.throws(() => choose(published, { taken }), error))
  }
})

describe('a list of ports', () => {
  const all = (text: string): PortBinding[] =>
    choosePorts({
      published: parsePublish(text),
      exposed: [],
      publishesAll: false,
      hostAddresses: ['0.0.0.0', '::'],
      taken: [],
      ephemeral: { first: 32768, last: 60999 },
    })
  const exposed = parseImagePorts({ '80': {}, '443/tcp': {}, '53/udp': {} })

  it('shows exposed ports as Docker does', () => {
    assert.equal(listPorts([], exposed), '80/tcp, 53/udp, 443/tcp')
  })

  it('shows where they are published', () => {
    assert.equal(
      listPorts(all('8080:80'), exposed),
      '53/udp, 443/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp',
    )
  })

  it('shows neighbours together', () => {
    assert.equal(
      listPorts([...all('90-91:90-91/udp'), ...all('7200-7201:80-81'), ...all('8181:81')], exposed),
      '53/udp, 0.0.0.0:90-91->90-91/udp, [::]:90-91->90-91/udp, 443/tcp, 0.0.0.0:7200->80/tcp, [::]:7200->80/tcp, 0.0.0.0:7201->81/tcp, 0.0.0.0:8181->81/tcp, [::]:7201->81/tcp, [::]:8181->81/tcp',
    )
  })
})

describe('the tables of sockets', () => {
  it('tell who waits for connections', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1609 1 0000000000000000 100 0 0 10 0
   1: 020200C0:0016 010200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 1700 1 0000000000000000 20 4 30 10 -1
`
    assert.deepEqual(parseSockets(table, 'tcp'), [
      { protocol: 'tcp', address: '127.0.0.1', port: 8080, inode: 1609 },
    ])
  })

  it('likewise of IPv6 and of UDP', () => {
    const table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  12: 000000FD000000000000000001000000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1812 2 0000000000000000 0
`
    assert.deepEqual(parseSockets(table, 'udp'), [
      { protocol: 'udp', address: 'fd00::1', port: 53, inode: 1812 },
    ])
  })
})
