// The network commands as a person types them: records on disk, output in Docker's form, events, and what is refused.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { DEFAULT_NETWORK, type Network } from '../../src/networks/network.ts'
import { minictr, type Outcome } from '../fixtures/command-line.ts'

let directory = ''
let globals: string[] = []

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'minictr-networks-'))
  globals = [
    '--root',
    `${directory}/root`,
    '--run-root',
    `${directory}/run`,
    '--config',
    `${directory}/config.json`,
  ]
  writeFileSync(
    `${directory}/config.json`,
    '{ "default-address-pools": [{ "base": "10.201.0.0/16", "size": 24 }] }',
  )
})
after(() => rmSync(directory, { recursive: true }))

const network = (...args: string[]): Promise<Outcome> => minictr([...globals, 'network', ...args])

async function done(...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await network(...args)
  assert.equal(stderr, '')
  assert.equal(status, 0)
  return stdout
}

async function refused(message: RegExp, ...args: string[]): Promise<void> {
  const { status, stdout, stderr } = await network(...args)
  assert.match(stderr, message)
  assert.equal(stdout, '')
  assert.equal(status, 1)
}

const record = (id: string): Network =>
  JSON.parse(readFileSync(`${directory}/root/networks/${id}/network.json`, 'utf8'))

/** As a container that runs would be written down. */
function enter(id: string, containerName: string): void {
  const endpoints = `${directory}/run/networks/${id}/endpoints`
  mkdirSync(endpoints, { recursive: true })
  const endpoint = {
    id: 'e'.repeat(64),
    containerId: 'c'.repeat(64),
    containerName,
    linkName: 'mctr0',
    macAddress: '02:42:0a:c9:01:02',
    ipv4Address: '10.201.1.2/24',
    aliases: [],
    ports: [],
  }
  writeFileSync(`${endpoints}/${endpoint.containerId}.json`, JSON.stringify(endpoint))
}

describe('minictr network', { timeout: 120_000 }, () => {
  it('has Docker’s three networks from the beginning', async () => {
    assert.equal(
      await done('ls'),
      [
        'NETWORK ID     NAME      DRIVER    SCOPE',
        `${DEFAULT_NETWORK.id.slice(0, 12)}   bridge    bridge    local`,
        '2eb476341c99   host      host      local',
        '02dc94e0ad1c   none      null      local',
        '',
      ].join('\n'),
    )
    assert.ok(!existsSync(`${directory}/root`), 'looking makes nothing')
  })

  it('records what is created, behind the default network’s subnet', async () => {
    const id = (await done('create', '--label', 'use=test', 'web')).trim()
    assert.match(id, /^[0-9a-f]{64}$/)
    assert.equal(record(id).subnets[0]?.subnet, '10.201.1.0/24')
    assert.equal(readFileSync(`${directory}/root/networks/names/web`, 'utf8'), id)
    await refused(/^minictr: network with name web already exists\n/, 'create', 'web')
    await refused(/operation is not permitted on predefined none network/, 'create', 'none')
    await refused(
      /the parent link nosuch is not on this host/,
      'create',
      '-d',
      'macvlan',
      '-o',
      'parent=nosuch',
      'x',
    )
    assert.deepEqual(readdirSync(`${directory}/root/networks`).sort(), [id, 'names'].sort())
  })

  it('gives no subnet twice, however many commands run at once', async () => {
    const names = ['a', 'b', 'c', 'd']
    const outcomes = await Promise.all([...names, 'a'].map(name => network('create', `at-once-${name}`)))
    const made = outcomes.filter(({ status }) => status === 0)
    assert.equal(made.length, names.length)
    const subnets = made.map(({ stdout }) => record(stdout.trim()).subnets[0]?.subnet)
    assert.equal(new Set(subnets).size, names.length)
    await done('rm', ...names.map(name => `at-once-${name}`))
  })

  it('tells all of a network, and who is in it', async () => {
    const id = (await done('ls', '-q', '--no-trunc', '-f', 'name=web')).trim()
    enter(id, 'box')
    const [description] = JSON.parse(await done('inspect', 'web'))
    assert.match(description.Created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/)
    assert.deepEqual(
      { ...description, Created: '' },
      {
        Name: 'web',
        Id: id,
        Created: '',
        Scope: 'local',
        Driver: 'bridge',
        EnableIPv4: true,
        EnableIPv6: false,
        IPAM: {
          Driver: 'default',
          Options: {},
          Config: [{ Subnet: '10.201.1.0/24', Gateway: '10.201.1.1' }],
        },
        Internal: false,
        Attachable: false,
        Ingress: false,
        ConfigFrom: { Network: '' },
        ConfigOnly: false,
        Containers: {
          ['c'.repeat(64)]: {
            Name: 'box',
            EndpointID: 'e'.repeat(64),
            MacAddress: '02:42:0a:c9:01:02',
            IPv4Address: '10.201.1.2/24',
            IPv6Address: '',
          },
        },
        Options: {},
        Labels: { use: 'test' },
      },
    )
    const template =
      '{{.ID}} {{range .IPAM.Config}}{{.Gateway}}{{.IPRange}}{{end}} {{range .Containers}}{{.Name}}{{end}}'
    assert.equal(await done('inspect', '-f', template, id.slice(0, 7)), `${id} 10.201.1.1 box\n`)
    const unknown = await network('inspect', 'web', 'nosuch')
    assert.equal(JSON.parse(unknown.stdout).length, 1)
    assert.match(unknown.stderr, /^minictr: network nosuch not found\n/)
    assert.equal(unknown.status, 1)
  })

  it('lists by filters and formats', async () => {
    await done('create', '--internal', '--ipv6', 'back')
    const template = 'table {{.Name}}\t{{.IPv6}}\t{{.Internal}}\t{{.Labels}}'
    assert.equal(
      await done('ls', '-f', 'type=custom', '--format', template),
      [
        'NAME      IPV6      INTERNAL   LABELS',
        'back      true      true',
        'web       false     false      use=test',
        '',
      ].join('\n'),
    )
    assert.equal(await done('ls', '-f', 'dangling=true', '--format', '{{.Name}}'), 'back\n')
    const lines = (await done('ls', '--format', 'json')).trim().split('\n')
    assert.deepEqual(Object.keys(JSON.parse(lines[0]!)).sort(), [
      ...['CreatedAt', 'Driver', 'ID', 'IPv4', 'IPv6', 'Internal', 'Labels', 'Name', 'Scope'],
    ])
    await refused(/invalid filter 'zz'/, 'ls', '-f', 'zz=1')
  })

  it('keeps a network that a container is in, and those that are always there', async () => {
    const { status, stdout, stderr } = await network('rm', 'web', 'back', 'bridge')
    assert.equal(stdout, 'back\n')
    assert.match(
      stderr,
      /error while removing network: network web id [0-9a-f]{64} has active endpoints \(box\)/,
    )
    assert.match(stderr, /bridge is a pre-defined network and cannot be removed/)
    assert.equal(status, 1)
    assert.equal(await done('rm', '-f', 'nosuch'), '')
    await refused(/network nosuch not found/, 'rm', 'nosuch')
  })

  it('prunes what nobody is in', async () => {
    await done('create', '--label', 'keep', 'kept')
    await done('create', 'idle')
    assert.equal(await done('prune', '-f', '--filter', 'until=24h'), '')
    assert.equal(await done('prune', '-f', '--filter', 'label!=keep'), 'Deleted Networks:\nidle\n\n')
    const asked = await minictr([...globals, 'network', 'prune'], { input: 'n\n' })
    assert.match(
      asked.stdout,
      /^WARNING! This will remove all custom networks not used by at least one container\.\n/,
    )
    assert.equal(await done('prune', '-f'), 'Deleted Networks:\nkept\n\n')
    assert.equal(await done('ls', '-f', 'type=custom', '--format', '{{.Name}}'), 'web\n')
  })

  it('goes on where a command was killed half-way', async () => {
    const stale = 'd'.repeat(64)
    writeFileSync(`${directory}/root/networks/names/half`, stale)
    mkdirSync(`${directory}/root/networks/.aside-0123`)
    const id = (await done('create', 'half')).trim()
    assert.equal(readFileSync(`${directory}/root/networks/names/half`, 'utf8'), id)
    assert.ok(!existsSync(`${directory}/root/networks/.aside-0123`))
    await done('rm', 'half')
    assert.deepEqual(readdirSync(`${directory}/root/networks/names`), ['web'])
  })

  it('records events', async () => {
    const { stdout } = await minictr([
      ...[...globals, 'events', '--since', '10m', '--until', '0s', '--filter', 'network=half'],
      ...['--format', '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'],
    ])
    assert.equal(stdout, 'network create half bridge\nnetwork destroy half bridge\n')
  })
})
