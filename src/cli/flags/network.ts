// Flags about the network: which one, and what /etc/hosts and /etc/resolv.conf say.

import type { NetworkMode } from '../../containers/options.ts'
import { MinictrError } from '../../system/error.ts'
import type { Draft, RunFlagGroup } from './draft.ts'
import { joined } from './namespaces.ts'

export const networkFlags: RunFlagGroup = {
  title: 'Network',
  flags: [
    {
      name: 'network',
      takes: 'network',
      about: 'Connect a container to a network (none|host|container:NAME) (default none)',
      set: setNetwork,
    },
    { name: 'net', isHidden: true, takes: 'network', about: 'Older spelling of --network', set: setNetwork },
    {
      name: 'add-host',
      takes: 'list',
      about: 'Add a custom host-to-IP mapping (host:ip)',
      set: ({ options }, text) => {
        options.extraHosts.push(parseExtraHost(text))
      },
    },
    {
      name: 'dns',
      takes: 'list',
      about: 'Set custom DNS servers',
      set: ({ options }, text) => {
        const address = text.trim()
        if (!isAddress(address)) throw new MinictrError(`IP address is not correctly formatted: ${text}`)
        options.dnsServers.push(address)
      },
    },
    {
      name: 'dns-search',
      takes: 'list',
      about: 'Set custom DNS search domains',
      set: ({ options }, text) => {
        options.dnsSearch.push(parseDomain(text))
      },
    },
    { name: 'dns-option', takes: 'list', about: 'Set DNS options', set: addDnsOption },
    {
      name: 'dns-opt',
      isHidden: true,
      takes: 'list',
      about: 'Older spelling of --dns-option',
      set: addDnsOption,
    },
  ],
}

function addDnsOption({ options }: Draft, option: string): void {
  options.dnsOptions.push(option)
}

function setNetwork({ options }: Draft, text: string): void {
  if (options.isNetworkChosen) {
    throw new MinictrError('a container is in one network here, and one was given already')
  }
  options.network = parseNetwork(text)
  options.isNetworkChosen = true
}

function parseNetwork(text: string): NetworkMode {
  if (text === 'none' || text === 'host') return text
  const other = joined(text)
  if (other) return other
  if (text.startsWith('container:')) {
    throw new MinictrError('Invalid network mode: invalid container format container:<name|id>')
  }
  throw new MinictrError('minictr has no bridge networks yet', {
    remedy: 'Use --network none, --network host or --network container:NAME.',
  })
}

/** `name:address` or `name=address`, where an IPv6 address may stand in brackets. */
function parseExtraHost(text: string): { name: string; address: string } {
  const [, name, given] = /^([^:=]+)[:=](.+)$/.exec(text) ?? []
  if (name === undefined || given === undefined) {
    throw new MinictrError(`bad format for add-host: ${JSON.stringify(text)}`)
  }
  if (given === 'host-gateway') {
    throw new MinictrError('host-gateway is the address of a bridge network, and minictr has none yet', {
      remedy: 'Give an address, or use --network host, where localhost is the host.',
    })
  }
  const address = given.replace(/^\[(.*)\]$/, '$1')
  if (!isAddress(address)) {
    throw new MinictrError(`invalid IP address in add-host: ${JSON.stringify(given)}`)
  }
  return { name, address }
}

/** Whether the text is an address; one with a zone (fe80::1%eth0) means nothing to a container. */
function isAddress(text: string): boolean {
  return process.getBuiltinModule('node:net').isIP(text) !== 0 && !text.includes('%')
}

/** A search domain; a single dot stands for none. Source: github.com/docker/cli, opts.ValidateDNSSearch. */
function parseDomain(text: string): string {
  const domain = text.trim()
  if (domain === '.') return domain
  const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?'
  const match = new RegExp(`^(${label}(?:\\.${label})*)\\.?$`).exec(domain)
  if (!match || !/[a-zA-Z]/.test(domain) || match[1]!.length > 254) {
    throw new MinictrError(`${text} is not a valid domain`)
  }
  return match[1]!
}
