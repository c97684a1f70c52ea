// A machine of the laboratory: in its network namespace it asks others and, with the argument `answers`, tells everybody who
// asks which address they came from. Started by laboratory.ts, which talks to it over Node's channel.

import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { createServer, isIPv6, Socket } from 'node:net'

export type Probe = { protocol: 'tcp' | 'udp'; host: string; port: number; timeoutMs: number }
export type Lookup = { server: string; name: string; type: 'A' | 'AAAA' | 'PTR' }
export type Question = { id: number } & ({ probe: Probe } | { lookup: Lookup })
/** What was found, or the name of an error. A probe finds the address that the other side saw, or `no answer`. */
export type Answer = { id: number; found: string[] | string }

const PORT = 80

function seen(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '')
}

function answerTcp(host: string, port: number): Promise<void> {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.end(seen(socket.remoteAddress))
  })
  return new Promise(resolve => server.listen({ host, port }, resolve))
}

function answerUdp(): Promise<void> {
  const server = createSocket({ type: 'udp6', ipv6Only: false })
  server.on('message', (_, { address, port }) => server.send(seen(address), port, address))
  return new Promise(resolve => server.bind(PORT, '::', resolve))
}

function askTcp({ host, port, timeoutMs }: Probe): Promise<string> {
  return new Promise(resolve => {
    let text = ''
    const socket = new Socket()
    const end = (answer: string) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setEncoding('utf8').setTimeout(timeoutMs, () => end('no answer'))
    socket.on('data', (part: string) => {
      text += part
    })
    socket.on('end', () => end(text))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    socket.connect({ host, port })
  })
}

function askUdp({ host, port, timeoutMs }: Probe): Promise<string> {
  return new Promise(resolve => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
    const timer = setTimeout(() => end('no answer'), timeoutMs)
    const end = (answer: string) => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    socket.on('message', message => end(message.toString()))
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    // Connected: only the peer that was asked may answer, and an ICMP error is told.
    socket.connect(port, host, () => socket.send('who am I?'))
  })
}

async function look({ server, name, type }: Lookup): Promise<string[] | string> {
  const resolver = new Resolver({ timeout: 2_000, tries: 1 })
  resolver.setServers([server.includes(':') ? `[${server}]` : server])
  try {
    if (type === 'PTR') return await resolver.reverse(name)
    return await (type === 'A' ? resolver.resolve4(name) : resolver.resolve6(name))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

async function find(question: Question): Promise<string[] | string> {
  if ('lookup' in question) return await look(question.lookup)
  return await (question.probe.protocol === 'tcp' ? askTcp(question.probe) : askUdp(question.probe))
}

if (process.argv.includes('answers')) {
  await answerTcp('::', PORT)
  await answerUdp()
}
process.on('message', async (question: Question) => {
  process.send!({ id: question.id, found: await find(question) } satisfies Answer)
})
process.on('disconnect', () => process.exit())
process.send!('ready')
