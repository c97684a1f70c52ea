// Credential helpers: programs named docker-credential-NAME that keep secrets where Docker's file should not.

import { spawn } from 'node:child_process'
import { MinictrError } from '../system/error.ts'

/**
 * Runs docker-credential-HELPER with a verb and its input, and resolves with what it prints; undefined where it knows
 * nothing of the key. Throws MinictrError where it does not start or fails.
 * Source: github.com/docker/docker-credential-helpers, "Development".
 */
export async function askHelper(
  helper: string,
  verb: 'get' | 'store' | 'erase',
  input: string,
): Promise<string | undefined> {
  const program = `docker-credential-${helper}`
  if (!/^[\w.-]+$/.test(helper))
    throw new MinictrError(`"${helper}" cannot be the name of a credential helper`)
  const { status, output } = await runProgram(program, verb, input)
  if (status === 0) return output
  if (verb !== 'store' && /credentials not found/.test(output)) return undefined
  throw new MinictrError(
    `The credential helper ${program} failed at "${verb}": ${output.trim() || `status ${status}`}`,
    {
      remedy: `Check credsStore and credHelpers in Docker’s config.json.`,
    },
  )
}

function runProgram(
  program: string,
  verb: string,
  input: string,
): Promise<{ status: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [verb], { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', text => {
      output += text
    })
    child.on('error', cause => {
      const remedy = `Install it, or take it out of Docker’s config.json (credsStore, credHelpers).`
      reject(
        new MinictrError(`The credential helper ${program} does not start: ${cause.message}`, {
          remedy,
          cause,
        }),
      )
    })
    child.on('close', status => resolve({ status, output }))
    // A helper may end without reading what it is told; its status says enough.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}
