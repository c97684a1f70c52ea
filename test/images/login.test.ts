// Registries that ask who one is: tokens, passwords, helpers, and where secrets must not go.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { type Certificates, makeCertificates } from '../fixtures/certificate.ts'
import { minictr } from '../fixtures/command-line.ts'
import { startFaultProxy } from '../fixtures/fault-proxy.ts'
import { pushImage, writeLayout, writeTar } from '../fixtures/image.ts'
import { type Registry, startRegistry } from '../fixtures/registry.ts'
import { ISSUER, SERVICE, startTokenServer, type TokenServer } from '../fixtures/token-server.ts'

const execute = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'minictr-login-'))
const layout = join(directory, 'layout')
/** `me` with the password `secret`, as htpasswd -B writes it. */
const HTPASSWD = 'me:$2y$05$thdYpJKOSXh0bihHAMFL4.z3uivtPKW2K7dqdiIkYiU.aLD2qJWiC\n'
let certificates: Certificates
let tokens: TokenServer
let tokenRegistry: Registry
let basicRegistry: Registry
let homes = 0

before(async () => {
  certificates = await makeCertificates(directory)
  tokens = await startTokenServer({ certificates, users: { me: 'secret' }, identityTokens: ['long-lived'] })
  const token = { realm: tokens.realm, service: SERVICE, issuer: ISSUER, certificate: certificates.authority }
  tokenRegistry = await startRegistry({ token })
  basicRegistry = await startRegistry({ htpasswd: HTPASSWD })
  const one = await writeTar(join(directory, 'one.tar'), { 'etc/one': 'one\n' })
  const two = await writeTar(join(directory, 'two.tar'), { 'etc/two': 'two\n' })
  await writeLayout(layout, { image: [{ layers: [{ tar: one }, { tar: two }] }] })
  for (const { host } of [tokenRegistry, basicRegistry]) {
    await pushImage(layout, host, 'private/image', { credentials: 'me:secret' })
  }
})

after(async () => {
  await Promise.all([tokens.stop(), tokenRegistry.stop(), basicRegistry.stop()])
  rmSync(directory, { recursive: true, force: true })
})

/** A person's own Docker configuration and minictr root, empty at first. */
function newHome(config?: object) {
  const home = join(directory, `home-${++homes}`)
  const file = join(home, 'docker/config.json')
  if (config) {
    mkdirSync(join(home, 'docker'), { recursive: true })
    writeFileSync(file, JSON.stringify(config))
  }
  const env: Record<string, string> = { DOCKER_CONFIG: join(home, 'docker') }
  const run = (args: string[], input?: string) =>
    minictr(['--root', join(home, 'root'), '--run-root', join(home, 'run'), ...args], { env, input })
  return { home, file, env, run, read: () => JSON.parse(readFileSync(file, 'utf8')) }
}

const auth = Buffer.from('me:secret').toString('base64')

describe('a registry protected by', () => {
  for (const [kind, registry] of [
    ['tokens', () => tokenRegistry.host],
    ['a password file', () => basicRegistry.host],
  ] as const) {
    test(`${kind}: refused without a login, with the remedy; pulled after one; refused after logout`, async () => {
      const { run, file, read } = newHome()
      const host = registry()
      const name = `${host}/private/image`
      const refused = await run(['pull', name])
      assert.equal(refused.status, 1)
      assert.match(refused.stderr, /Access to .*private\/image:latest is denied/)
      assert.match(refused.stderr, new RegExp(`minictr login ${host}`))

      const wrong = await run(['login', '--username', 'me', '--password-stdin', host], 'guess\n')
      assert.equal(wrong.status, 1)
      assert.match(wrong.stderr, /failed: it does not accept this user name and password/)
      assert.equal(existsSync(file), false)

      const right = await run(['login', '-u', 'me', '--password-stdin', host], 'secret\n')
      assert.equal(right.status, 0, right.stderr)
      assert.equal(right.stdout, 'Login Succeeded\n')
      assert.deepEqual(read(), { auths: { [host]: { auth } } })
      assert.equal(statSync(file).mode & 0o777, 0o600)

      const pulled = await run(['pull', name])
      assert.equal(pulled.status, 0, pulled.stderr)
      const again = await run(['login', host])
      assert.equal(
        again.stdout,
        'Authenticating with existing credentials... [Username: me]\nLogin Succeeded\n',
      )

      const out = await run(['logout', host])
      assert.deepEqual([out.status, out.stdout], [0, `Removing login credentials for ${host}\n`])
      assert.deepEqual(read(), { auths: {} })
      assert.equal((await run(['pull', name])).status, 1)
    })
  }

  test('tokens: one token serves all requests of a pull, for that repository alone', async () => {
    const { run } = newHome({ auths: { [tokenRegistry.host]: { auth } } })
    const before = tokens.seen.length
    const { status, stderr } = await run(['pull', `${tokenRegistry.host}/private/image`])
    assert.equal(status, 0, stderr)
    const asked = tokens.seen.slice(before)
    assert.equal(asked.length, 1)
    assert.equal(asked[0]!.query.get('scope'), 'repository:private/image:pull')
    assert.equal(asked[0]!.query.get('service'), SERVICE)
  })

  test('tokens: a refused token is replaced once', async () => {
    const challenge = `Bearer realm="${tokens.realm}",service="${SERVICE}",scope="repository:private/image:pull",error="invalid_token"`
    const proxy = await startFaultProxy(tokenRegistry.host, ({ url }, earlier) =>
      url.includes('/blobs/') && !earlier.some(each => each.url.includes('/blobs/'))
        ? { kind: 'status', status: 401, headers: { 'www-authenticate': challenge } }
        : undefined,
    )
    try {
      const { run } = newHome({ auths: { [proxy.host]: { auth } } })
      const { status, stderr } = await run(['pull', `${proxy.host}/private/image`])
      assert.equal(status, 0, stderr)
    } finally {
      await proxy.stop()
    }
  })

  test('tokens: an identity token is sent as a refresh token, by POST', async () => {
    const { run } = newHome({ auths: { [tokenRegistry.host]: { auth: '', identitytoken: 'long-lived' } } })
    const before = tokens.seen.length
    const { status, stderr } = await run(['pull', `${tokenRegistry.host}/private/image`])
    assert.equal(status, 0, stderr)
    assert.deepEqual(
      tokens.seen
        .slice(before)
        .map(({ method, query }) => [method, query.get('grant_type'), query.get('refresh_token')]),
      [['POST', 'refresh_token', 'long-lived']],
    )
  })

  test('a password file: what a redirect points to does not see the password, unless it is the same host', async () => {
    const open = await startRegistry()
    await pushImage(layout, open.host, 'private/image')
    const elsewhere = await startFaultProxy(open.host, () => undefined)
    const proxy = await startFaultProxy(basicRegistry.host, ({ url }) => {
      if (!url.includes('/blobs/')) return undefined
      if (url.includes('?moved')) return undefined
      // One layer moves within the host, all else to another one.
      const location = proxyMoves++ === 0 ? `${url}?moved` : `http://${elsewhere.host}${url}`
      return { kind: 'status', status: 307, headers: { location } }
    })
    let proxyMoves = 0
    try {
      const { run } = newHome({ auths: { [proxy.host]: { auth } } })
      const { status, stderr } = await run(['pull', `${proxy.host}/private/image`])
      assert.equal(status, 0, stderr)
      const moved = proxy.seen.filter(({ url }) => url.includes('?moved'))
      assert.deepEqual(
        moved.map(({ headers }) => headers.authorization),
        [`Basic ${auth}`],
      )
      assert.equal(elsewhere.seen.length, 2)
      for (const { headers } of elsewhere.seen) assert.equal(headers.authorization, undefined)
    } finally {
      await Promise.all([proxy.stop(), elsewhere.stop(), open.stop()])
    }
  })

  test('a password file: what a redirect points to cannot ask for the password either', async () => {
    const elsewhere = await startFaultProxy(basicRegistry.host, () => {
      const challenge = `Bearer realm="http://${elsewhere.host}/token",service="elsewhere"`
      return { kind: 'status', status: 401, headers: { 'www-authenticate': challenge } }
    })
    const proxy = await startFaultProxy(basicRegistry.host, ({ url }) => {
      const headers = { location: `http://${elsewhere.host}${url}` }
      return url.includes('/blobs/') ? { kind: 'status', status: 307, headers } : undefined
    })
    try {
      const { run } = newHome({ auths: { [proxy.host]: { auth } } })
      const { status, stderr } = await run(['pull', `${proxy.host}/private/image`])
      assert.equal(status, 1)
      assert.match(stderr, /answered 401/)
      assert.ok(elsewhere.seen.length > 0)
      for (const { url, headers } of elsewhere.seen) {
        assert.match(url, /blobs/)
        assert.equal(headers.authorization, undefined)
      }
    } finally {
      await Promise.all([proxy.stop(), elsewhere.stop()])
    }
  })
})

describe('the credentials file', () => {
  test('is shared with other tools: skopeo reads what login wrote, minictr what skopeo wrote', async () => {
    const { run, file } = newHome()
    const { host } = basicRegistry
    await run(['login', '-u', 'me', '--password-stdin', host], 'secret')
    const inspect = ['inspect', '--tls-verify=false', '--authfile', file, `docker://${host}/private/image`]
    assert.match((await execute('skopeo', inspect)).stdout, /"Name"/)

    const other = newHome()
    mkdirSync(join(other.home, 'docker'), { recursive: true })
    await execute('skopeo', [
      'login',
      '--tls-verify=false',
      '--authfile',
      other.file,
      '-u',
      'me',
      '-p',
      'secret',
      host,
    ])
    const { status, stderr } = await other.run(['pull', `${host}/private/image`])
    assert.equal(status, 0, stderr)
  })

  test('keeps what else is in it, and its other registries', async () => {
    const config = {
      auths: { 'other.example': { auth: 'eDp5' } },
      HttpHeaders: { a: 'b' },
      psFormat: 'table',
    }
    const { run, read } = newHome(config)
    const { host } = basicRegistry
    await run(['login', '-u', 'me', '--password-stdin', host], 'secret')
    assert.deepEqual(read(), { ...config, auths: { ...config.auths, [host]: { auth } } })
    await run(['logout', host])
    assert.deepEqual(read(), config)
  })

  test('when damaged is an error that names it', async () => {
    const { run, file } = newHome({ auths: { [basicRegistry.host]: { auth: 'bm9jb2xvbg==' } } })
    const { status, stderr } = await run(['pull', `${basicRegistry.host}/private/image`])
    assert.equal(status, 1)
    assert.ok(stderr.includes(`${file}: auths["${basicRegistry.host}"]: "auth" is not`), stderr)
  })
})

describe('a credential helper', () => {
  /** A helper that keeps one JSON file for each key, and a log of what it was asked. */
  function install(home: ReturnType<typeof newHome>) {
    const folder = join(home.home, 'bin')
    mkdirSync(folder, { recursive: true })
    const program = join(folder, 'docker-credential-test')
    writeFileSync(
      program,
      `#!/bin/sh
read -r input
echo "$1" >> ${home.home}/asked
case $1 in
store) printf %s "$input" > ${home.home}/kept ;;
get) if [ -e ${home.home}/kept ]; then cat ${home.home}/kept; else echo "credentials not found in native keychain"; exit 1; fi ;;
erase) rm -f ${home.home}/kept ;;
esac
`,
    )
    chmodSync(program, 0o755)
    home.env.PATH = `${folder}:${process.env.PATH}`
    return {
      kept: join(home.home, 'kept'),
      asked: () => readFileSync(join(home.home, 'asked'), 'utf8').split('\n'),
    }
  }

  for (const [key, config] of [
    ['credsStore', (_: string) => ({ credsStore: 'test' })],
    ['credHelpers', (host: string) => ({ credHelpers: { [host]: 'test' } })],
  ] as const) {
    test(`named by ${key} keeps the secret, and the file does not`, async () => {
      const { host } = basicRegistry
      const home = newHome(config(host))
      const { kept, asked } = install(home)
      const login = await home.run(['login', '-u', 'me', '--password-stdin', host], 'secret')
      assert.equal(login.status, 0, login.stderr)
      assert.doesNotMatch(login.stderr, /unencrypted/)
      assert.deepEqual(JSON.parse(readFileSync(kept, 'utf8')), {
        ServerURL: host,
        Username: 'me',
        Secret: 'secret',
      })
      assert.deepEqual(home.read(), { ...config(host), auths: { [host]: {} } })

      const { status, stderr } = await home.run(['pull', `${host}/private/image`])
      assert.equal(status, 0, stderr)
      assert.equal((await home.run(['logout', host])).status, 0)
      assert.equal(existsSync(kept), false)
      assert.deepEqual(asked().slice(0, 3), ['store', 'get', 'erase'])
      assert.match((await home.run(['pull', `${host}/private/image`])).stderr, /Access to/)
    })
  }

  test('that is not installed is an error that says so', async () => {
    const { run } = newHome({ credsStore: 'missing' })
    const { status, stderr } = await run(['pull', `${basicRegistry.host}/private/image`])
    assert.equal(status, 1)
    assert.match(stderr, /docker-credential-missing does not start: .*ENOENT/)
  })
})

describe('login', () => {
  test('needs a terminal or both name and password', async () => {
    const { run } = newHome()
    const bare = await run(['login', basicRegistry.host])
    assert.deepEqual([bare.status, /not a terminal/.test(bare.stderr)], [1, true], bare.stderr)
    const nameless = await run(['login', '--password-stdin', basicRegistry.host], 'secret')
    assert.match(nameless.stderr, /Must provide --username with --password-stdin/)
    const both = await run(['login', '-p', 'x', '--password-stdin', '-u', 'me', basicRegistry.host], 'secret')
    assert.match(both.stderr, /insecure\. Use --password-stdin.*\n.*mutually exclusive/)
  })
})
