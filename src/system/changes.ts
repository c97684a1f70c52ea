// Waiting for something to happen in directories: inotify wakes (fs.watch), a clock only for what leaves no trace there.

import { type FSWatcher, watch } from 'node:fs'

export class Changes {
  private readonly watchers: FSWatcher[] = []
  private hasChanged = false
  private wake = () => {}

  /** Watches from now on; a directory that is not there is left out. Source: inotify(7). */
  constructor(directories: string[]) {
    for (const directory of directories) {
      try {
        const watcher = watch(directory, () => this.notice())
        // The directory goes: so does the watching.
        watcher.on('error', () => this.notice())
        this.watchers.push(watcher)
      } catch {
        // Not there (ENOENT), or this user watches too much already (ENOSPC): then the clock alone wakes.
      }
    }
  }

  /** Resolves when something has happened since the last time, or when so much time has passed. */
  async next(atMostMs: number): Promise<void> {
    if (!this.hasChanged) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, atMostMs)
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.hasChanged = false
  }

  close(): void {
    for (const watcher of this.watchers) watcher.close()
  }

  private notice(): void {
    this.hasChanged = true
    this.wake()
  }
}
