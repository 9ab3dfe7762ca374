/** Plays schedules by their seeds. What breaks says with which seed it can be had again. */
import assert from 'node:assert/strict'

export function play(schedule: (seed: number) => void, count: number, from = 1): void {
  // Fixed, so that a run can be repeated; another one by the environment.
  const first = Number(process.env['SIGNALBOX_SEED'] ?? from)
  for (let seed = first; seed < first + count; seed++) {
    try {
      schedule(seed)
    } catch (error) {
      assert.fail(`SIGNALBOX_SEED=${seed}: ${(error as Error).stack}`)
    }
  }
}

/** The same for schedules that wait for promises, one after the other. */
export async function playInTurn(schedule: (seed: number) => Promise<void>, count: number, from = 1): Promise<void> {
  const first = Number(process.env['SIGNALBOX_SEED'] ?? from)
  for (let seed = first; seed < first + count; seed++) {
    try {
      await schedule(seed)
    } catch (error) {
      assert.fail(`SIGNALBOX_SEED=${seed}: ${(error as Error).stack}`)
    }
  }
}
