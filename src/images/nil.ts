// Go's nil lists and maps: to a template they are empty, in JSON they are null.

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
