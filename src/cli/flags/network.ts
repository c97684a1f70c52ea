// Flags about the network: which one, and what /etc/hosts and /etc/resolv.conf say.

import { MinictrError } from '../../system/error.ts'
import type { Draft, RunFlagGroup } from './draft.ts'
import { parseNetworkWish } from './endpoint.ts'
import { isAddress, parseExtraHost } from './extra-host.ts'

export const networkFlags: RunFlagGroup = {
  title: 'Network',
  flags: [
    {
      name: 'network',
      takes: 'network',
      about: 'Connect a container to a network (NAME|none|host|container:NAME) (default bridge)',
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
  options.networks.push(parseNetworkWish(text))
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
