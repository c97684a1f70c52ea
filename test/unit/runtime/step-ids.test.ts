// The names of steps: docs, labs and the journal point at a step by its id.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plan } from '../../../src/runtime/plan.ts'
import type { LinkKind, PlannedNetworks } from '../../../src/runtime/planned-networks.ts'
import { configure, directory, fakeHost, id } from '../containers/request.ts'
import { hybridHost, unifiedHost } from './hosts.ts'

const host = fakeHost({ '/etc/subuid': 'map:100000:65536\n', '/etc/subgid': 'map:100000:65536\n' })

function idsOf(line: string, facts = hybridHost, networks?: PlannedNetworks): string[] {
  const volumes = { '/Data.d/x_y': {}, '/data-d/x/y': {}, '/é': {}, '/x\nreboot': {} }
  const { spec, files, directories, sharedMemory } = configure(line, {
    host,
    facts,
    config: { Cmd: ['sh'], Volumes: volumes },
  })
  const context = {
    containerId: id,
    directory,
    lockFile: `${directory}/lock`,
    runDirectory: '/run/minictr/ID',
    nameFile: '/names/x',
  }
  const made = plan(spec, {
    ...context,
    files: files(),
    directories,
    ...(sharedMemory && { sharedMemory }),
    ...(networks && { networks }),
    bindSources: {},
    host: facts,
    stdin: 'once',
  })
  return made.steps.map(step => step.id)
}

describe('the ids of steps', () => {
  const lines = [
    '',
    '-it -m 64m --cpus 1 --pids-limit 10 --device /dev/fuse',
    '--read-only --tmpfs /Tmp.1 -v /tmp:/a.b -v /tmp:/a_b -v /tmp:/overlay -w /w --init',
    '--ulimit nofile=10 --oom-score-adj 5 --security-opt no-new-privileges --sysctl net.ipv4.ip_forward=1 -u web',
    '--privileged --network host --pid host --ipc host --uts host',
    '--ipc shareable --shm-size 1m --mount type=bind,src=/tmp,dst=/UPPER.case',
    '--userns-remap map --cgroupns private',
  ]
  for (const line of lines) {
    it(`are words of small letters and digits with hyphens between, and no two alike: run ${line}`, () => {
      for (const facts of [hybridHost, unifiedHost]) {
        const ids = idsOf(line, facts)
        assert.ok(ids.length > 20)
        for (const each of ids) assert.match(each, /^[a-z0-9]+(-[a-z0-9]+)*$/)
        assert.deepEqual(ids, [...new Set(ids)])
      }
    })
  }
})

const bridge = (name: string): PlannedNetworks['bridges'][number] => {
  return {
    name,
    macAddress: '02:42:0a:01:00:01',
    alias: '',
    addresses: [],
    settings: [],
    readyFile: '/ready',
  }
}

const nameServer: PlannedNetworks['nameServers'][number] = {
  ...{
    directories: ['/names'],
    lockFile: '/lock',
    pidFile: '/pid',
    candidates: ['/usr/sbin/dnsmasq'],
    argv: [],
  },
}

function place(networkName: string, index: number, kind: LinkKind): PlannedNetworks['places'][number] {
  return {
    networkName,
    networkFile: `/networks/${networkName}`,
    claims: [`/addresses/${index}`],
    endpoint: { path: `/endpoints/${index}`, content: '' },
    link: { name: `eth${index}`, kind, addresses: [], defaultRoutes: [], settings: [] },
    names: [{ path: `/names/${index}`, aside: `/names/.${index}`, text: '' }],
  }
}

const onBridge = (name: string): LinkKind => {
  return { driver: 'bridge', hostLink: `veth-${name}`, bridge: name, alias: '', isHairpin: false }
}

const besides = (ids: string[]) => {
  const usual = idsOf('')
  return ids.filter(each => !usual.includes(each))
}

describe('the ids of the steps of networks', () => {
  it('have a number where there are several of one kind', () => {
    const ids = idsOf('', hybridHost, {
      hostSettings: [{ path: '/proc/sys/net/ipv4/ip_forward', value: '1' }],
      rules: 'add element',
      bridges: [bridge('one'), bridge('two')],
      nameServers: [nameServer, nameServer],
      places: [
        place('One.net', 0, onBridge('one')),
        place('two', 1, onBridge('two')),
        place('lan', 2, { driver: 'macvlan', parent: 'eth7', mode: 'bridge' }),
      ],
      ports: { held: [], addRules: 'add', removeRules: 'remove' },
      files: [],
    })
    for (const each of ids) assert.match(each, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    assert.deepEqual(ids, [...new Set(ids)])
    assert.deepEqual(ids.slice(0, 2), ['claim-addresses', 'hold-ports'])
    assert.deepEqual(besides(ids.slice(2)), [
      ...['enable-forwarding', 'load-packet-filter', 'create-bridge', 'create-bridge-2'],
      ...['start-name-server', 'start-name-server-2', 'create-veth', 'create-sublink', 'forward-ports'],
      ...['announce-name', 'configure-links'],
    ])
  })

  it('have no number where there is one of each', () => {
    const ids = idsOf('', hybridHost, {
      ...{ hostSettings: [], bridges: [bridge('one')], nameServers: [nameServer], files: [] },
      places: [place('one', 0, onBridge('one'))],
    })
    assert.deepEqual(besides(ids), [
      ...['claim-addresses', 'create-bridge', 'start-name-server', 'create-veth', 'announce-name'],
      'configure-links',
    ])
  })
})
