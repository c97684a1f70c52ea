// The records of networks as they are read, also where they are damaged. That they are written is tested with the commands.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { formatAddress } from '../../../src/networks/address.ts'
import type { Endpoint } from '../../../src/networks/endpoint.ts'
import { fixedNetworks, type Network, networkText } from '../../../src/networks/network.ts'
import { NetworkStore } from '../../../src/networks/store.ts'

const id = 'ab12cd34'.repeat(8)
const web: Network = { ...fixedNetworks[0]!, id, name: 'web', driver: 'bridge' }

let directory = ''
let store: NetworkStore

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'minictr-network-store-'))
  store = new NetworkStore({ root: `${directory}/root`, runRoot: `${directory}/run` })
})
after(() => rmSync(directory, { recursive: true }))

describe('a store of networks', () => {
  it('has those of this host’s network and of none, before there is anything', () => {
    assert.deepEqual(
      store.list().map(({ name }) => name),
      ['host', 'none'],
    )
    assert.equal(store.byName('web'), undefined)
    assert.equal(store.byName('host')?.driver, 'host')
    assert.deepEqual([store.endpoints(id), store.claimedAddresses(id), store.publishedPorts()], [[], [], []])
  })

  it('finds what is recorded by its id and its name', () => {
    write(`${store.directoryOf(id)}/network.json`, networkText(web))
    write(store.nameFile('web'), id)
    assert.deepEqual(store.read(id), web)
    assert.deepEqual(store.byName('web'), web)
    assert.equal(store.byName('../names/web'), undefined)
    assert.equal(store.list().length, 3)
  })

  it('takes half a record for none', () => {
    const half = 'ff'.repeat(32)
    write(`${store.directoryOf(half)}/network.json`, networkText(web).slice(0, -9))
    write(`${store.directory}/.aside-0123/network.json`, networkText(web))
    write(store.nameFile('half'), half)
    assert.equal(store.read(half), undefined)
    assert.equal(store.byName('half'), undefined)
    assert.equal(store.list().length, 3)
  })

  it('knows who is in a network, with which addresses and ports', () => {
    const endpoint: Endpoint = {
      id: 'e'.repeat(64),
      containerId: 'c'.repeat(64),
      containerName: 'box',
      networkId: id,
      networkName: 'web',
      interfaceName: 'eth0',
      linkName: 'mctrccccccc',
      macAddress: '02:42:ac:12:00:02',
      ipv4Address: '172.18.0.2/16',
      aliases: [],
      dnsNames: ['box'],
      ports: [{ port: 80, protocol: 'tcp', hostAddress: '0.0.0.0', hostPort: 8080 }],
    }
    write(store.endpointFile(id, endpoint.containerId), JSON.stringify(endpoint))
    write(`${dirname(store.endpointFile(id, 'x'))}/.new`, 'half')
    for (const address of ['172.18.0.2', 'fd00::2', '.new']) write(store.addressFile(id, address), 'c')
    assert.deepEqual(store.endpoints(id), [endpoint])
    assert.deepEqual(store.claimedAddresses(id).map(formatAddress).sort(), ['172.18.0.2', 'fd00::2'])
    assert.deepEqual(store.publishedPorts(), [
      { protocol: 'tcp', address: '0.0.0.0', port: 8080, container: 'box' },
    ])
  })
})
