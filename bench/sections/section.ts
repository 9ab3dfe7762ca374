import type { Measure } from '../report.ts'
import { PLAIN_CHAT, type Rig, type Subject } from '../subjects.ts'

export interface Bench {
  readonly rig: Rig
  readonly rounds: number
  /** The long form, for published figures. */
  readonly long: boolean
  readonly bare: Subject
  /** Absent while it cannot be started; `note` has said why. */
  readonly signalbox: Subject | undefined
  readonly peer: Subject | undefined
  note(line: string): void
  /** Says that something could not be measured; the run then ends with exit code 1. */
  fail(what: string, error: unknown): void
  say(line: string): void
}

/** Measures one part of what is promised. Sections share the subjects and run one after the other. */
export type Section = (bench: Bench) => Promise<readonly Measure[]>

export const subjectsOf = ({ bare, signalbox, peer }: Bench): readonly Subject[] =>
  [bare, signalbox, peer].filter((subject) => subject !== undefined)

/** Plain calls until V8 no longer compiles what they need: before that, a fifth of the CPU of a gateway is the compiler's (`--trace-opt`). */
const WARM_UP = 30_000

/** Every subject has the same number of calls behind it before it is measured. */
export async function warmUp(
  { rig, say }: Pick<Bench, 'rig' | 'say'>,
  section: string,
  subject: Subject,
  connections: number,
  calls = WARM_UP,
): Promise<void> {
  say(`${section}: warming up ${subject.id}`)
  await rig.load({ shot: subject.shot(PLAIN_CHAT), calls, connections })
}

/**
 * A machine that is shared is faster in one second than in the next: the shorter the turns, the more alike are those of one round. So each
 * round asked for is so many, with as much less in each.
 */
export const TURNS = 3

/** The subjects in another order each round, so that none always runs after the same neighbour. */
export const rotated = <T>(items: readonly T[], round: number): readonly T[] => {
  const by = items.length === 0 ? 0 : round % items.length
  return [...items.slice(by), ...items.slice(0, by)]
}

/** Figures per subject (or case), one per round. */
export class Series {
  readonly #values = new Map<string, number[]>()

  add(id: string, value: number): void {
    const values = this.#values.get(id)
    if (values === undefined) this.#values.set(id, [value])
    else values.push(value)
  }

  of(id: string): readonly number[] {
    return this.#values.get(id) ?? []
  }

  has(id: string): boolean {
    return this.#values.has(id)
  }
}
