/// What a shard counts, under its lock.
@usableFromInline
struct ShardCounters: Sendable {
    @usableFromInline var misses: UInt64 = 0
    @usableFromInline var negativeHits: UInt64 = 0
    @usableFromInline var staleHits: UInt64 = 0
    @usableFromInline var insertions: UInt64 = 0
    @usableFromInline var rejected: UInt64 = 0
    @usableFromInline var removals = RemovalCounts()
}
