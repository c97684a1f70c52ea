// A run walked one step at a time: before each, what comes next and why, and a person who says when.

import { existsSync } from 'node:fs'
import type { Observer, StepReport } from '../runtime/perform.ts'
import type { Plan, Step } from '../runtime/step.ts'
import { type Abbreviation, abbreviate, abbreviationsOf, definitions } from './abbreviations.ts'
import { hanging, stepText } from './explain.ts'
import { explainStep } from './explanation.ts'
import { lookAt, shellInside } from './look.ts'
import { kernelUs } from './measurements.ts'
import type { Page } from './page.ts'
import type { Conversation } from './terminal.ts'

const MOST_CALLS = 8
const LOOK_COLUMN = 14

const help = `
  Enter, next   perform this step
  continue      perform all that are left, without asking
  quit          leave; what was done is undone, where it can be
  sh            a shell on this machine; $ROOT, $PID and the other names are set
  look          what the half-made container is like now, and a shell inside,
                where it has one
  plan          all the steps, and where we are
  help          this list
The first letter is enough (s for sh, l for look).
`

type Answer = 'next' | 'continue' | 'quit' | 'sh' | 'look' | 'plan' | 'help'
const answers: Answer[] = ['next', 'continue', 'quit', 'sh', 'look', 'plan', 'help']

/** Leads a person through a plan; to be given to `perform`. */
export class StepByStep implements Observer {
  private readonly terminal: Conversation
  private readonly page: Page
  private plan: Plan = { containerId: '', command: '', steps: [] }
  private names: Abbreviation[] = []
  private pid = 0
  private isAsking = true

  constructor(terminal: Conversation, page: Page) {
    this.terminal = terminal
    this.page = page
  }

  begin(plan: Plan): void {
    this.plan = plan
    this.pid = processOf(plan)
    this.isAsking = true
    // A plan that came to nothing, because somebody was quicker, had let go of it already.
    this.terminal.open()
    this.names = abbreviationsOf(plan)
    const { strong, faint } = this.page.style
    this.say(
      strong(`${plan.steps.length} steps. Nothing has been done yet.`),
      faint('Enter performs a step; help says what else there is.'),
      '',
      ...definitions(this.names).map(line => `  ${faint(line)}`),
    )
  }

  async before(step: Step, index: number, total: number): Promise<'go' | 'quit'> {
    if (!this.isAsking) return 'go'
    this.say('', stepText(explainStep(step), index, total, this.names, this.page, MOST_CALLS), '')
    const answer = await this.answer(index)
    if (answer === 'continue') this.isAsking = false
    if (answer === 'quit') {
      this.say(`Leaving before step ${index + 1}, ${step.id}: ${this.whatIsLeft(index)}`)
      return 'quit'
    }
    const gives = this.plan.steps.at(-1)?.side === 'container'
    // The last step gives the terminal to the container.
    if (gives && (answer === 'continue' || index + 1 === total)) this.terminal.close()
    return 'go'
  }

  after(report: StepReport): void {
    if (report.pid > 0) this.pid = report.pid
    if (!this.isAsking || report.index + 1 === report.total) return
    const calls = report.opElapsedNs.length
    const took = `${kernelUs(report).toFixed(0)} µs in ${calls} ${calls === 1 ? 'call' : 'calls'}`
    this.say(this.page.style.faint(`done: ${took}`))
  }

  private whatIsLeft(index: number): string {
    const { onwardFrom } = this.plan
    if (onwardFrom === undefined || index <= onwardFrom) return 'what was done is undone now.'
    return 'what was done stays so; what is left is done by the next command about this container.'
  }

  /** Lets go of the terminal, also where a step failed. */
  end(): void {
    this.terminal.close()
  }

  /** Asks until the answer is one that leaves the prompt. */
  private async answer(index: number): Promise<'next' | 'continue' | 'quit'> {
    const question = `${this.page.style.strong('next')} continue quit sh look plan help > `
    while (true) {
      const line = await this.terminal.ask(question)
      const answer = line === undefined ? 'quit' : answerIn(line)
      if (answer === 'next' || answer === 'continue' || answer === 'quit') return answer
      if (answer === undefined)
        this.say(`There is no ${JSON.stringify(line!.trim())} here; help lists what there is.`)
      if (answer === 'help') this.say(help)
      if (answer === 'plan') this.say(...planLines(this.plan, index, this.page))
      if (answer === 'sh') await this.openShell()
      if (answer === 'look') await this.look()
    }
  }

  private async openShell(): Promise<void> {
    const shell = process.env.SHELL || '/bin/sh'
    const names = [...this.names.map(({ name }) => name), ...(this.pid > 0 ? ['PID'] : [])]
    this.say(`${shell} on this machine, with ${names.join(' ')} set; exit (Ctrl-D) comes back.`)
    const values = Object.fromEntries(this.names.map(({ name, value }) => [name, value]))
    await this.terminal.lend([shell], {
      ...process.env,
      ...values,
      ...(this.pid > 0 && { PID: String(this.pid) }),
    })
  }

  private async look(): Promise<void> {
    if (this.pid === 0) {
      this.say('There is no process to look at yet: spawn-init makes it.')
      return
    }
    if (!existsSync(`/proc/${this.pid}`)) {
      this.say(`Process ${this.pid} has ended.`)
      return
    }
    this.say(
      '',
      ...lookAt(this.pid).flatMap(([name, value]) => fact(name, abbreviate(value, this.names), this.page)),
      '',
    )
    const shell = shellInside(this.pid)
    if (shell === undefined) {
      this.say(
        'Its root holds no /bin/sh to look around with; sh gives one on this machine, where /proc/$PID is.',
      )
      return
    }
    this.say(shell.shown, 'A shell inside, with all rights still; exit (Ctrl-D) comes back.')
    await this.terminal.lend(shell.argv, {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      TERM: process.env.TERM ?? 'linux',
    })
  }

  private say(...lines: string[]): void {
    this.terminal.write(`${lines.join('\n')}\n`)
  }
}

/** A name and what is known of it, on as many lines as it needs. */
function fact(name: string, value: string, page: Page): string[] {
  return hanging(name.padEnd(LOOK_COLUMN), LOOK_COLUMN, value, page)
}

/** The process that the plan is about, where it runs already. */
function processOf({ steps }: Plan): number {
  const found = steps.flatMap(({ ops }) => ops.flatMap(op => (op.op === 'open_process' ? op.pid : [])))
  return found[0] ?? 0
}

/** What a line means: a word, or the beginning of one; nothing typed is the next step. */
export function answerIn(line: string): Answer | undefined {
  const word = line.trim().toLowerCase()
  return answers.find(answer => answer.startsWith(word))
}

function planLines(plan: Plan, index: number, page: Page): string[] {
  const { strong, faint } = page.style
  const width = String(plan.steps.length).length
  return plan.steps.map(({ id, side }, at) => {
    const line = `${String(at + 1).padStart(width)}  ${id.padEnd(32)} ${side}`
    if (at === index) return strong(`> ${line}`)
    return at < index ? faint(`  ${line}  done`) : `  ${line}`
  })
}
