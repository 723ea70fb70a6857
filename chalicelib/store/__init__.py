"""The only code that knows tables, keys and conditions.

Who asks for what (a read is strong unless an index is named):

| who asks                        | table, index           | key                          |
|---------------------------------|------------------------|------------------------------|
| every request: who is this      | members                | get subject                  |
| and how often                   | allowances             | update subject, in batches   |
| a referral's page               | referrals              | get referral_id, `referral`  |
| a decision: it and what waits   | referrals              | query from `parked#`         |
| the timeline                    | referrals              | query `event#…`, by page     |
| a practice's list               | referrals, by_practice | practice_id, listed_at       |
| a center's list                 | referrals, by_center   | center_inbox, listed_at      |
| was this delivery here before   | deliveries             | by condition, in the write   |
| was this POST here before       | idempotency            | by condition, in the write   |
| what is due                     | outbox, due            | lane and shard, due_at       |
| what was just committed         | outbox                 | batch get outbox_id          |
| what is parked                  | outbox, due            | lane `parked`                |
| which job last ran when         | jobs                   | batch get job                |
| a member's notices              | notices                | query member_id, by page     |
| a tenant's members              | roster                 | query tenant_id              |
| … each as they are now          | members                | batch get subject            |
| the directory of centers        | tenants                | query kind, each 5 minutes   |
| … and its last import, if any   | tenants                | query its pages, as often    |
| who touched a referral          | audit                  | referral_id, entry           |

What each costs, and how it spreads, is in docs/storage.md. Nothing scans. What decides
(deduplication, authorization, uniqueness) reads no index and nothing stale.
"""
