// Go templates (`--format`), first half: from text to a tree. What Docker's users write is understood; defining templates
// of one's own is not.

import { MinictrError } from '../system/error.ts'

export type Operand =
  | { kind: 'literal'; value: string | number | boolean | null }
  /** `.A.B`: fields of the dot. */
  | { kind: 'field'; path: string[] }
  /** `$x.A`: fields of a variable; `$` alone is the whole data. */
  | { kind: 'variable'; name: string; path: string[] }
  | { kind: 'function'; name: string }
  | { kind: 'pipeline'; pipeline: Pipeline; path: string[] }

/** An operand alone, or a function and its arguments. */
export type Command = Operand[]
/** Each command's result is the last argument of the next. */
export type Pipeline = { commands: Command[]; assigns?: Assignment }

/** `$x := …`, or `$x = …` where the variable is there already. */
export type Assignment = { names: string[]; declares: boolean }

export type Branch = { kind: 'if' | 'with' | 'range'; pipeline: Pipeline; body: Node[]; otherwise: Node[] }
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'output'; pipeline: Pipeline }
  /** The way out of the innermost `range`, or on to its next element. */
  | { kind: 'break' | 'continue' }
  | Branch

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)')|([-+]?[0-9]+(?:\.[0-9]+)?(?![\w.]))|(\$\w*)|(\.[A-Za-z_]\w*|\.)|([A-Za-z_]\w*)|(:=|=|[|(),]))/y

type Token = {
  kind: 'string' | 'number' | 'variable' | 'field' | 'word' | 'sign'
  text: string
  isGlued: boolean
}

const KINDS = ['string', 'number', 'variable', 'field', 'word', 'sign'] as const

/** Parses a template. Throws MinictrError saying what is not understood. Source: Go's text/template. */
export function parseTemplate(template: string): Node[] {
  return new Parser(template).parse()
}

type Part = { text: string } | { action: string }

/** Cuts at `{{` and `}}`; `{{-` and `-}}` take the blanks before and after with them. */
function cut(template: string): Part[] {
  const parts: Part[] = []
  let rest = template
  for (let start = rest.indexOf('{{'); start >= 0; start = rest.indexOf('{{')) {
    const end =
      /^\{\{(?:-\s)?\s*\/\*[\s\S]*?\*\/\s*-?\}\}|^\{\{(?:[^"`}]|"(?:[^"\\]|\\.)*"|`[^`]*`|\}(?!\}))*\}\}/.exec(
        rest.slice(start),
      )
    if (!end) throw failure(`unclosed action: ${rest.slice(start, start + 30)}`)
    const inner = end[0].slice(2, -2)
    const before = rest.slice(0, start)
    parts.push({ text: /^-\s/.test(inner) ? before.trimEnd() : before })
    parts.push({ action: inner.replace(/^-\s/, '').replace(/\s-$/, '').trim() })
    rest = rest.slice(start + end[0].length)
    if (/\s-$/.test(inner)) rest = rest.trimStart()
  }
  return [...parts, { text: rest }]
}

class Parser {
  private readonly parts: Part[]
  private tokens: Token[] = []
  /** How many `range` are open. */
  private ranges = 0

  constructor(template: string) {
    this.parts = cut(template)
  }

  parse(): Node[] {
    const { nodes, end } = this.block()
    if (end) throw failure(`unexpected {{${end}}}`)
    return nodes
  }

  /** Nodes up to `end` or `else`, which is returned, or up to the end of the text. */
  private block(): { nodes: Node[]; end: string } {
    const nodes: Node[] = []
    for (let part = this.parts.shift(); part; part = this.parts.shift()) {
      if ('text' in part) {
        if (part.text !== '') nodes.push({ kind: 'text', text: part.text })
      } else if (part.action === 'end' || /^else\b/.test(part.action)) return { nodes, end: part.action }
      else if (!part.action.startsWith('/*')) nodes.push(this.action(part.action))
    }
    return { nodes, end: '' }
  }

  private action(text: string): Node {
    const [, keyword, rest] = /^(if|with|range)\s+([\s\S]*)$/.exec(text) ?? []
    if (keyword) return this.branch(keyword as Branch['kind'], rest!)
    if (text === 'break' || text === 'continue') {
      if (this.ranges === 0) throw failure(`{{${text}}} outside {{range}}`)
      return { kind: text }
    }
    if (/^(define|template|block)\b/.test(text)) throw failure(`{{${text}}} is not supported`)
    return { kind: 'output', pipeline: this.pipelineOf(text) }
  }

  private branch(kind: Branch['kind'], text: string): Branch {
    const pipeline = this.pipelineOf(text)
    const { nodes: body, end } = this.body(kind)
    if (end === '') throw failure(`{{${kind}}} without {{end}}`)
    const [, keyword, rest] = /^else\s+(if|with)\s+([\s\S]*)$/.exec(end) ?? []
    if (keyword) return { kind, pipeline, body, otherwise: [this.branch(keyword as Branch['kind'], rest!)] }
    if (end === 'end') return { kind, pipeline, body, otherwise: [] }
    const { nodes: otherwise, end: last } = this.block()
    if (last !== 'end') throw failure(`{{else}} without {{end}}`)
    return { kind, pipeline, body, otherwise }
  }

  private body(kind: Branch['kind']): { nodes: Node[]; end: string } {
    const more = kind === 'range' ? 1 : 0
    this.ranges += more
    const body = this.block()
    this.ranges -= more
    return body
  }

  private pipelineOf(text: string): Pipeline {
    this.tokens = tokenize(text)
    const assigns = this.assignment()
    const pipeline = this.pipeline()
    if (this.tokens.length > 0) throw failure(`unexpected ${this.tokens[0]!.text} in {{${text}}}`)
    return { ...pipeline, ...(assigns && { assigns }) }
  }

  private assignment(): Assignment | undefined {
    const at = this.tokens.findIndex(({ text, kind }) => kind === 'sign' && (text === ':=' || text === '='))
    if (at < 0) return undefined
    const taken = this.tokens.splice(0, at + 1)
    const names = taken.filter(({ kind }) => kind === 'variable').map(({ text }) => text)
    return { names, declares: taken.at(-1)!.text === ':=' }
  }

  private pipeline(): Pipeline {
    const commands: Command[] = [this.command()]
    while (this.takeSign('|')) commands.push(this.command())
    return { commands }
  }

  private command(): Command {
    const operands: Operand[] = []
    for (let operand = this.operand(); operand; operand = this.operand()) operands.push(operand)
    if (operands.length === 0) throw failure('missing value for command')
    return operands
  }

  private operand(): Operand | undefined {
    const [token] = this.tokens
    if (!token || (token.kind === 'sign' && token.text !== '(')) return undefined
    this.tokens.shift()
    switch (token.kind) {
      case 'string':
        return { kind: 'literal', value: unquote(token.text) }
      case 'number':
        return { kind: 'literal', value: Number(token.text) }
      case 'variable':
        return { kind: 'variable', name: token.text, path: this.path() }
      case 'field':
        return { kind: 'field', path: token.text === '.' ? [] : [token.text.slice(1), ...this.path()] }
      case 'word':
        return word(token.text)
      case 'sign': {
        const pipeline = this.pipeline()
        if (!this.takeSign(')')) throw failure('unclosed left paren')
        return { kind: 'pipeline', pipeline, path: this.path() }
      }
    }
  }

  /** The fields that are written on without a blank. */
  private path(): string[] {
    const path: string[] = []
    while (this.tokens[0]?.kind === 'field' && this.tokens[0].isGlued && this.tokens[0].text !== '.') {
      path.push(this.tokens.shift()!.text.slice(1))
    }
    return path
  }

  private takeSign(text: string): boolean {
    const isThere = this.tokens[0]?.kind === 'sign' && this.tokens[0].text === text
    if (isThere) this.tokens.shift()
    return isThere
  }
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (!match) {
      if (text.slice(start).trim() === '') break
      throw failure(`unexpected ${JSON.stringify(text.slice(start).trim())} in {{${text}}}`)
    }
    const found = match.slice(1).findIndex(group => group !== undefined)
    tokens.push({ kind: KINDS[found]!, text: match[found + 1]!, isGlued: !/^\s/.test(match[0]) })
  }
  return tokens
}

function word(text: string): Operand {
  const constants: Record<string, boolean | null> = { true: true, false: false, nil: null }
  if (Object.hasOwn(constants, text)) return { kind: 'literal', value: constants[text]! }
  return { kind: 'function', name: text }
}

function unquote(text: string): string {
  if (text.startsWith('`')) return text.slice(1, -1)
  const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r' }
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, char: string) => escapes[char] ?? char)
}

function failure(reason: string): MinictrError {
  return new MinictrError(`template parsing error: ${reason}`, {
    remedy: "Templates are Go's: '{{.ID}}', '{{json .Config}}', '{{range .RepoTags}}{{.}} {{end}}'.",
  })
}
