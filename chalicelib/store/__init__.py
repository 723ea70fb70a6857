"""The only code that knows tables, keys and conditional writes. It has one package per capability.

Access patterns (a read is strongly consistent unless an index is named):

| who reads                            | table, index           | key                          |
|--------------------------------------|------------------------|------------------------------|
| every request: who the caller is     | members                | get subject                  |
| every request: the rate limit        | allowances             | update subject, in batches   |
| a referral's page                    | referrals              | get referral_id, `referral`  |
| a decision: referral, parked events  | referrals              | query from `parked#`         |
| the timeline                         | referrals              | query `event#…`, by page     |
| the history of its facts             | referrals              | query `change#…`, by page    |
| who has an alias                     | referrals              | get `alias#…`                |
| a practice's providers and payers    | referrals              | `directory#…`                |
| saved views of worklists             | referrals              | get `views#…`, two items     |
| a practice's list                    | referrals, by_practice | practice_id, listed_at       |
| a center's list                      | referrals, by_center   | center_inbox, listed_at      |
| the counts of a long list            | idempotency            | get `list#…`, then the list  |
| whether a delivery is a repeat       | deliveries             | by condition, in the write   |
| whether a POST is a repeat           | idempotency            | by condition, in the write   |
| tasks that are due                   | outbox, due            | queue and shard, due_at      |
| tasks that were just committed       | outbox                 | batch get outbox_id          |
| failed tasks (dead letters)          | outbox, due            | lane `parked`                |
| when each job last ran               | jobs                   | batch get job                |
| a member's notices                   | notices                | query member_id, by page     |
| a tenant's members                   | roster                 | query tenant_id              |
| … each as they are now               | members                | batch get subject            |
| the directory of centers             | tenants                | query kind, each 5 minutes   |
| … and its last import, if any        | tenants                | query its pages, as often    |
| who accessed a referral              | audit                  | referral_id, entry           |

docs/storage.md has the cost of each access and how the load is spread. Nothing scans. Decisions
(idempotency, authorization, uniqueness) read no index and nothing stale: a conditional write checks
what was read, and an optimistic service decides again when the check fails.

Tables and attributes keep their first names (`allowances`, `looks`, `told`, `lane`, `fence`, state
`parked`), so stored rows stay readable. Where a name in the code differs, its module says so.
"""
