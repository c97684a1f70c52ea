// What a pull tells while it works, and two ways to show it: bars redrawn in place, or plain lines.

/** What a layer is doing, in Docker's words. */
export type LayerState =
  | 'Pulling fs layer'
  | 'Waiting'
  | 'Downloading'
  | 'Verifying Checksum'
  | 'Download complete'
  | 'Extracting'
  | 'Pull complete'
  | 'Already exists'
  | 'Retrying'

export type ProgressEvent =
  | { kind: 'message'; text: string }
  | {
      kind: 'layer'
      layer: string
      state: LayerState
      doneBytes?: number
      totalBytes?: number
      detail?: string
    }

export type Progress = {
  report(event: ProgressEvent): void
  /** Brings the last state to the screen and leaves the cursor below it. */
  finish(): void
}

export type Screen = { write(text: string): unknown; columns?: number; rows?: number }

const REDRAW_INTERVAL_MS = 80
const BAR_WIDTH = 50

/** Says nothing (`--quiet`). */
export function silentProgress(): Progress {
  return { report: () => {}, finish: () => {} }
}

/** One line for each change of a layer's state; amounts are left out, so a log stays short. */
export function lineProgress(screen: Screen): Progress {
  const states = new Map<string, string>()
  return {
    report(event) {
      if (event.kind === 'message') return void screen.write(`${event.text}\n`)
      const state = stateText(event)
      // How far it is belongs to bars; a line says only that it has begun.
      if (states.get(event.layer) === state || event.state === 'Downloading' || event.state === 'Extracting')
        return
      states.set(event.layer, state)
      screen.write(`${event.layer}: ${state}\n`)
    },
    finish: () => {},
  }
}

/** One line for each layer, redrawn in place a few times a second and cut to the width of the terminal. */
export function barProgress(screen: Screen, nowMs: () => number = () => performance.now()): Progress {
  const lines = new Map<string, string>()
  let drawnRows = 0
  let drawnAtMs = Number.NEGATIVE_INFINITY
  let pending: NodeJS.Timeout | undefined

  const draw = () => {
    clearTimeout(pending)
    pending = undefined
    drawnAtMs = nowMs()
    const width = screen.columns || 80
    // What has left the top of the screen cannot be redrawn: of many layers the last ones are shown.
    const rows = [...lines.values()].slice(-Math.max(1, (screen.rows || 24) - 1))
    const up = drawnRows > 0 ? `\x1b[${drawnRows}A` : ''
    screen.write(`${up}${rows.map(row => `\r\x1b[2K${row.slice(0, width - 1)}\n`).join('')}`)
    drawnRows = rows.length
  }

  return {
    report(event) {
      if (event.kind === 'message') {
        if (lines.size > 0) draw()
        lines.clear()
        drawnRows = 0
        return void screen.write(`${event.text}\n`)
      }
      lines.set(event.layer, `${event.layer}: ${barText(event, screen.columns || 80)}`)
      const waitMs = drawnAtMs + REDRAW_INTERVAL_MS - nowMs()
      if (waitMs <= 0) draw()
      else pending ??= setTimeout(draw, waitMs)
    },
    finish() {
      clearTimeout(pending)
      pending = undefined
      if (lines.size > 0) draw()
      lines.clear()
      drawnRows = 0
    },
  }
}

/** `12.3MB`, in Docker's decimal units with three significant digits. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : Number(value.toPrecision(4))}${units[unit]}`
}

type LayerEvent = Extract<ProgressEvent, { kind: 'layer' }>

function stateText({ state, detail }: LayerEvent): string {
  return detail === undefined ? state : `${state} ${detail}`
}

function barText(event: LayerEvent, columns: number): string {
  const { doneBytes, totalBytes } = event
  const state = stateText(event)
  if (doneBytes === undefined) return state
  if (!totalBytes) return `${state}  ${formatBytes(doneBytes)}`
  const amount = `${formatBytes(doneBytes)}/${formatBytes(totalBytes)}`
  // 14 columns stand before the state (`0123456789ab: `), 6 are brackets and blanks.
  const width = Math.min(BAR_WIDTH, columns - 1 - 14 - state.length - amount.length - 6)
  if (width < 8) return `${state}  ${amount}`
  const done = Math.min(width, Math.floor((doneBytes / totalBytes) * width))
  const bar = `${'='.repeat(Math.max(0, done - 1))}${done > 0 ? '>' : ''}`.padEnd(width)
  return `${state}  [${bar}]  ${amount}`
}
