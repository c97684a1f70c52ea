// Proxies from the environment: HTTP_PROXY, HTTPS_PROXY and NO_PROXY, read as Docker (Go) reads them.

import { BlockList, isIP } from 'node:net'
import { MinictrError } from '../system/error.ts'
import { hostName, isLoopback } from './configuration.ts'

type Environment = Partial<Record<string, string>>

/**
 * The URL of the proxy a request to `url` goes through, or undefined for none. Requests to this machine never take one.
 * Throws MinictrError for a proxy of another kind than http or https.
 * Source: pkg.go.dev/golang.org/x/net/http/httpproxy, Config.
 */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const name = url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const value = environment[name] || environment[name.toLowerCase()]
  if (!value || isLoopback(url.host)) return undefined
  if (isExcepted(url, environment.NO_PROXY || environment.no_proxy || '')) return undefined
  const proxy = value.includes('://') ? value : `http://${value}`
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return proxy
  throw new MinictrError(`${name} is "${value}", which is not the URL of an HTTP proxy`, {
    remedy: `Set it as in ${name}=http://proxy.example:3128, or unset it.`,
  })
}

/** Whether NO_PROXY (`a.example,.b.example,10.0.0.0/8,c:8080,*`) excepts the host of `url`. */
export function isExcepted(url: URL, noProxy: string): boolean {
  const host = hostName(url.host)
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return noProxy
    .split(',')
    .map(item => item.trim().toLowerCase())
    .some(item => item !== '' && matches(item, host, port))
}

function matches(item: string, host: string, port: string): boolean {
  if (item === '*') return true
  if (item.includes('/')) return isInNetwork(host, item)
  const [, bare, itemPort] = /^(.*?)(?::(\d+))?$/.exec(isIP(item) === 6 ? `[${item}]` : item)!
  if (itemPort !== undefined && itemPort !== port) return false
  const pattern = hostName(bare!)
  if (isIP(pattern)) return pattern === host
  // `b.example` means the host and all below it, `.b.example` and `*.b.example` only those below.
  const suffix = pattern.replace(/^\*/, '')
  if (suffix.startsWith('.')) return host.endsWith(suffix)
  return host === suffix || host.endsWith(`.${suffix}`)
}

function isInNetwork(host: string, network: string): boolean {
  const [address, bits] = network.split('/') as [string, string]
  const family = isIP(address)
  if (
    family === 0 ||
    isIP(host) !== family ||
    !/^\d+$/.test(bits) ||
    Number(bits) > (family === 4 ? 32 : 128)
  )
    return false
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6')
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
