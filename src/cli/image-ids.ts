// Which image a name stands for today, asked often: containers keep the name that they were made by.

import { ImageStore } from '../images/store.ts'
import { MinictrError } from '../system/error.ts'
import type { GlobalOptions } from './command.ts'

/** A function from names to ids, each name looked up once; undefined where there is no such image, or where it is damaged. */
export function imageIds({ root }: GlobalOptions): (name: string) => string | undefined {
  const store = new ImageStore(`${root}/images`)
  const known = new Map<string, string | undefined>()
  return name => {
    if (!known.has(name)) known.set(name, lookUp(store, name))
    return known.get(name)
  }
}

function lookUp(store: ImageStore, name: string): string | undefined {
  try {
    return store.find(name)?.id
  } catch (error) {
    if (error instanceof MinictrError) return undefined
    throw error
  }
}
