/** Budgets and credit as the admin API shows them. */
import type { BudgetReader, CreditAdmin, CreditMovement } from '../../admin/parts.ts'
import type { MoneyConfig } from '../../config/config.ts'
import { gatewayErrorOf } from '../../core/error.ts'
import { newId } from '../../core/id.ts'
import { dollarsOf, type Nanos } from '../../core/money.ts'
import type { RecordStore, StoredRecord } from '../../core/records.ts'
import type { SpendingDesk } from '../../policy/spending/spending.ts'
import { type Credit, creditOf, creditRecord } from '../../policy/spending/tenants.ts'

export function budgetReader(spending: SpendingDesk, money: () => MoneyConfig): BudgetReader {
  return {
    async state(rule, value) {
      const [status] = await spending.status(rule, [value === undefined ? {} : { value }])
      return {
        spent: BigInt(Math.round(status?.spent ?? 0)),
        held: BigInt(Math.round(status?.held ?? 0)),
        resetsAt: status?.resetsAt,
      }
    },
    configured: money,
  }
}

const signed = (amount: Nanos): string => (amount < 0n ? `-${dollarsOf(-amount)}` : dollarsOf(amount))

const movementOf = ({ id, at, kind, amount, note }: Credit): CreditMovement => ({
  id,
  at,
  kind: kind === 'top-up' ? 'top-up' : 'adjustment',
  amount,
  note,
})

export function creditAdmin(records: RecordStore, spending: SpendingDesk): CreditAdmin {
  return {
    async balance(organisation) {
      const { prepaid, credited, spent, held, available } = await spending.balance(organisation)
      return { prepaid, balance: available, held, toppedUp: credited, charged: spent }
    },
    async topUp(organisation, amount, { id = newId('cre_'), note }) {
      const kind = amount < 0n ? 'adjustment' : 'top-up'
      const record = creditRecord({ id, organisation, kind, amount: signed(amount), ...(note !== undefined && { note }) })
      const credit = creditOf(await once(records, record))
      if (!credit) throw new Error('an entry of credit that cannot be read back')
      return movementOf(credit)
    },
    async statement(organisation, from, to) {
      const { credits, charges } = await spending.statement(organisation, from, to)
      const charged = charges.map(
        ({ day, model, charge, requests }): CreditMovement => ({
          id: `charge-${day}-${model}`,
          at: Date.parse(day),
          kind: 'charge',
          amount: -charge,
          note: `${model}, ${requests} requests`,
        }),
      )
      return [...credits.map(movementOf), ...charged].sort((one, other) => one.at - other.at)
    },
  }
}

/** Asked for twice under one id, it happens once. */
async function once(records: RecordStore, record: Parameters<RecordStore['create']>[0]): Promise<StoredRecord> {
  try {
    return await records.create(record)
  } catch (thrown) {
    const before = gatewayErrorOf(thrown).id === 'conflict' ? await records.get(record.kind, record.id) : undefined
    if (before && before.organisation === record.organisation && before.data['amount'] === record.data['amount']) return before
    throw thrown
  }
}
