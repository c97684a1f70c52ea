// What of Go's values JavaScript has not: nil lists and maps, which are empty to a template and null in JSON, and fields that
// JSON leaves out, or has under another name.

/** A list that nobody made. What is derived from it is an ordinary list. */
export class NilList<Value = never> extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  toJSON(): null {
    return null
  }
}

/** A map that nobody made. */
export class NilMap<Key = string, Value = never> extends Map<Key, Value> {
  toJSON(): null {
    return null
  }
}

/**
 * Gives an object the fields that Go's JSON leaves out where they are empty: a template finds them, JSON does not. Those the
 * object has stay as they are.
 */
export function withOmitted<Fields extends object>(object: Fields, empty: Record<string, unknown>): Fields {
  for (const [name, value] of Object.entries(empty)) {
    if (!Object.hasOwn(object, name)) Object.defineProperty(object, name, { value })
  }
  return object
}

/** The fields of an image's or a container's Config that Docker's JSON leaves out. Source: moby, api/types/container/config.go. */
export function omittedConfig(): Record<string, unknown> {
  return {
    ExposedPorts: new NilMap(),
    Healthcheck: null,
    NetworkDisabled: false,
    MacAddress: '',
    StopSignal: '',
    StopTimeout: null,
    Shell: new NilList(),
  }
}
