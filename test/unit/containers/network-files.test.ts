// hosts and resolv.conf of a container, on hosts of several kinds.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hostsFile, resolverFile } from '../../../src/containers/network-files.ts'
import type { NamingWishes } from '../../../src/containers/record.ts'
import { fakeHost } from './request.ts'

const nothing: NamingWishes = { extraHosts: [], dnsServers: [], dnsSearch: [], dnsOptions: [] }
const wishing = (naming: Partial<NamingWishes>) => ({
  networkMode: 'bridge',
  naming: { ...nothing, ...naming },
})
const none = wishing({})
const sharing = (naming: Partial<NamingWishes>) => ({ ...wishing(naming), networkMode: 'host' })
const shared = sharing({})
const resolvers = (text: string, more: Record<string, string> = {}) =>
  fakeHost({ '/etc/resolv.conf': text, ...more })

describe('/etc/hosts', () => {
  it('names loopback, and what was added', () => {
    const text = hostsFile(wishing({ extraHosts: [{ name: 'a', address: '1.2.3.4' }] }), fakeHost())
    assert.match(text, /^127\.0\.0\.1\tlocalhost\n::1\tlocalhost ip6-localhost/)
    assert.ok(text.endsWith('1.2.3.4\ta\n'))
  })

  it('is the host’s own with the host’s network, until something is added', () => {
    assert.equal(hostsFile(shared, fakeHost()), '127.0.0.1 localhost thehost\n')
    const added = hostsFile(sharing({ extraHosts: [{ name: 'a', address: '::2' }] }), fakeHost())
    assert.ok(!added.includes('thehost') && added.endsWith('::2\ta\n'))
  })
})

const names = {
  hostsLines: ['172.17.0.6\tdb 0123456789ab', '172.17.0.2\tbox'],
  servers: ['172.18.0.1'],
  hostGateway: '172.17.0.1',
}

describe('/etc/hosts in networks of its own', () => {
  it('has links and the container’s own names behind those given', () => {
    const extraHosts = [
      { name: 'a', address: '1.2.3.4' },
      { name: 'host', address: 'host-gateway' },
    ]
    const text = hostsFile(wishing({ extraHosts }), fakeHost(), names)
    assert.ok(text.endsWith('\n1.2.3.4\ta\n172.17.0.1\thost\n172.17.0.6\tdb 0123456789ab\n172.17.0.2\tbox\n'))
  })
})

describe('/etc/resolv.conf in networks of its own', () => {
  const host = resolvers('search example.org\nnameserver 10.0.0.1\noptions rotate\n')

  it('asks the network’s server, for short names first as they are', () => {
    assert.equal(
      resolverFile(none, host, names),
      'search example.org\nnameserver 172.18.0.1\noptions rotate ndots:0\n',
    )
    assert.equal(
      resolverFile(wishing({ dnsSearch: ['.'], dnsOptions: ['ndots:2'] }), host, names),
      'nameserver 172.18.0.1\noptions ndots:2\n',
    )
  })

  it('has the server of the container’s own ask those that were given', () => {
    const own = { ...names, servers: ['127.0.0.11'] }
    assert.equal(
      resolverFile(wishing({ dnsServers: ['1.1.1.1'] }), host, own),
      'search example.org\nnameserver 127.0.0.11\noptions rotate ndots:0\n',
    )
  })

  it('is the host’s where the network has no server', () => {
    const text = 'search example.org\nnameserver 10.0.0.1\noptions rotate\n'
    assert.equal(resolverFile(none, host, { ...names, servers: [] }), text)
  })
})

describe('/etc/resolv.conf', () => {
  it('is the host’s', () => {
    const text = 'search example.org\nnameserver 10.0.0.1\noptions rotate\n'
    assert.equal(resolverFile(none, resolvers(text)), text)
  })

  it('leaves out servers on the host’s loopback, which a network of its own cannot reach', () => {
    const host = resolvers('nameserver 127.0.0.1\nnameserver ::1\nnameserver 10.0.0.1\nsearch a\n')
    assert.equal(resolverFile(none, host), 'nameserver 10.0.0.1\nsearch a\n')
    assert.match(resolverFile(shared, host), /127\.0\.0\.1/)
  })

  it('leaves them out where something else was given, too', () => {
    const host = resolvers('nameserver 127.0.0.1\nnameserver 10.0.0.1\n')
    assert.equal(resolverFile(wishing({ dnsSearch: ['a'] }), host), 'search a\nnameserver 10.0.0.1\n')
  })

  it('asks the servers that systemd-resolved asks, not its stub', () => {
    const host = resolvers('nameserver 127.0.0.53\n', {
      '/run/systemd/resolve/resolv.conf': 'nameserver 192.168.1.1\n',
    })
    assert.equal(resolverFile(none, host), 'nameserver 192.168.1.1\n')
    assert.equal(resolverFile(shared, host), 'nameserver 127.0.0.53\n')
  })

  it('has public servers where no other is left, as in Docker', () => {
    assert.match(
      resolverFile(none, resolvers('search a\nnameserver 127.0.0.1\n')),
      /^search a\nnameserver 8\.8\.8\.8\n/,
    )
    assert.match(resolverFile(none, fakeHost({ '/etc/resolv.conf': undefined })), /^nameserver 8\.8\.8\.8\n/)
  })

  it('takes each part that was given in place of the host’s', () => {
    const host = resolvers('search example.org\nnameserver 10.0.0.1\noptions rotate\n')
    const given = { dnsServers: ['1.1.1.1'], dnsSearch: ['x.y', 'z'], dnsOptions: ['ndots:2'] }
    const resolve = (change: Partial<typeof given>) => resolverFile(wishing({ ...change }), host)
    assert.equal(resolve(given), 'search x.y z\nnameserver 1.1.1.1\noptions ndots:2\n')
    assert.equal(
      resolve({ dnsServers: ['1.1.1.1'] }),
      'search example.org\nnameserver 1.1.1.1\noptions rotate\n',
    )
    assert.equal(resolve({ dnsSearch: ['.'] }), 'nameserver 10.0.0.1\noptions rotate\n')
    assert.equal(
      resolverFile(sharing({ dnsOptions: ['ndots:3'] }), host),
      'search example.org\nnameserver 10.0.0.1\noptions ndots:3\n',
    )
  })
})
