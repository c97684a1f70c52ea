import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { Authorization } from '../../../src/images/authorization.ts'
import type { Credentials } from '../../../src/images/credentials.ts'
import { Transport } from '../../../src/images/transport.ts'

describe('a token server without https', () => {
  const server = createServer((_, response) => response.end('{"token": "one"}'))
  const transport = new Transport({ registryMirrors: [], insecureRegistries: [], certificatesDirectory: '' })
  let realm: string
  let seen = 0
  before(async () => {
    server.on('request', () => seen++)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    realm = `http://127.0.0.1:${(server.address() as { port: number }).port}/token`
  })
  after(async () => {
    await transport.close()
    server.close()
  })

  const password: Credentials = { kind: 'password', username: 'me', password: 'secret' }
  function headerFor(base: string, credentials: Credentials | undefined) {
    const authorization = new Authorization('registry.test', transport, async () => credentials)
    authorization.challenged(`Bearer realm="${realm}"`, new URL(base))
    return authorization.header('repository:a:pull')
  }

  it('that an https registry names gets no credentials, and is named', async () => {
    const identity: Credentials = { kind: 'identity-token', token: 'long' }
    for (const credentials of [password, identity]) {
      await assert.rejects(
        headerFor('https://registry.test/v2/', credentials),
        (error: Error & { remedy?: string }) =>
          error.message.includes(realm) && /minictr logout registry\.test/.test(error.remedy ?? ''),
      )
    }
    assert.equal(seen, 0)
  })

  it('is asked where there is nothing to lose: without credentials, or over http anyway', async () => {
    assert.equal(await headerFor('https://registry.test/v2/', undefined), 'Bearer one')
    assert.equal(await headerFor('http://127.0.0.1:5000/v2/', password), 'Bearer one')
    assert.equal(seen, 2)
  })
})
