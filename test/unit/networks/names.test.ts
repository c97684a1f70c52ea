// How containers are called: lines of /etc/hosts, files of the DNS server, links.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dnsRecord } from '../../../src/networks/dns-server.ts'
import { type LinkedContainer, linkEnvironment, linkHostsLine } from '../../../src/networks/links.ts'
import { namesOf, ownHostsLines } from '../../../src/networks/names.ts'
import { parseImagePorts } from '../../../src/networks/ports.ts'

const named = {
  containerId: '0123456789ab'.padEnd(64, 'c'),
  containerName: 'web',
  hostname: '0123456789ab',
  aliases: ['www', 'web'],
}

describe('a container', () => {
  it('has its name, its aliases, the beginning of its id and its hostname, each once', () => {
    assert.deepEqual(namesOf(named), ['web', 'www', '0123456789ab'])
    assert.deepEqual(namesOf({ ...named, hostname: 'box' }), ['web', 'www', '0123456789ab', 'box'])
  })

  it('finds itself in /etc/hosts by its hostname, with its domain first', () => {
    const lines = (hostname: string, domainname?: string) =>
      ownHostsLines({ ...named, hostname, ...(domainname && { domainname }) }, ['172.18.0.2', 'fd00::2'])
    assert.deepEqual(lines('box'), ['172.18.0.2\tbox', 'fd00::2\tbox'])
    assert.deepEqual(lines('box', 'example.org'), [
      '172.18.0.2\tbox.example.org box',
      'fd00::2\tbox.example.org box',
    ])
    assert.deepEqual(lines('a.b.c')[0], '172.18.0.2\ta.b.c a')
    assert.deepEqual(lines('a.b', 'd.e')[0], '172.18.0.2\ta.b.d.e a')
  })

  it('has a file for the DNS server, the name of its address first', () => {
    assert.equal(
      dnsRecord(named, 'front', ['172.18.0.2', 'fd00::2']),
      [
        '172.18.0.2\tweb.front web www 0123456789ab www.front 0123456789ab.front\n',
        'fd00::2\tweb.front web www 0123456789ab www.front 0123456789ab.front\n',
      ].join(''),
    )
  })
})

describe('a link', () => {
  const linked: LinkedContainer = {
    alias: 'd-b',
    id: 'fedcba9876543210'.repeat(4),
    name: 'database',
    address: '172.17.0.6',
    environment: ['PATH=/x', 'HOME=/q', 'A=3', 'C', 'D=', 'E=two words=x'],
    ports: parseImagePorts({
      '443/tcp': {},
      '7/udp': {},
      '8/udp': {},
      '80/tcp': {},
      '81/tcp': {},
      '80/udp': {},
    }),
  }

  it('is a line of /etc/hosts', () => {
    assert.equal(linkHostsLine(linked), '172.17.0.6\td-b fedcba987654 database')
    assert.equal(linkHostsLine({ ...linked, alias: 'database' }), '172.17.0.6\tdatabase fedcba987654')
  })

  it('is variables for each port, neighbours as a range too, and the other’s own', () => {
    const port = (number: number, protocol: string) => {
      const name = `D_B_PORT_${number}_${protocol.toUpperCase()}`
      return [
        `${name}=${protocol}://172.17.0.6:${number}`,
        `${name}_ADDR=172.17.0.6`,
        `${name}_PORT=${number}`,
        `${name}_PROTO=${protocol}`,
      ]
    }
    const range = (first: number, last: number, protocol: string) => {
      const name = `D_B_PORT_${first}_${protocol.toUpperCase()}`
      return [
        `${name}_START=${protocol}://172.17.0.6:${first}`,
        `${name}_PORT_START=${first}`,
        `${name}_END=${protocol}://172.17.0.6:${last}`,
        `${name}_PORT_END=${last}`,
      ]
    }
    assert.deepEqual(linkEnvironment(linked, 'web'), [
      'D_B_PORT=tcp://172.17.0.6:80',
      ...port(80, 'tcp'),
      ...port(81, 'tcp'),
      ...range(80, 81, 'tcp'),
      ...port(443, 'tcp'),
      ...port(7, 'udp'),
      ...port(8, 'udp'),
      ...range(7, 8, 'udp'),
      ...port(80, 'udp'),
      'D_B_NAME=/web/d-b',
      'D_B_ENV_A=3',
      'D_B_ENV_D=',
      'D_B_ENV_E=two words=x',
    ])
  })

  it('is a name alone where the other has no ports', () => {
    const bare = { ...linked, ports: [], environment: [] }
    assert.deepEqual(linkEnvironment(bare, 'web'), ['D_B_NAME=/web/d-b'])
  })
})
