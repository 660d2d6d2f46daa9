/// The bounds of a cache and how shards share them.
final class Bounds: Sendable {
    let bytes: Budget?
    let entries: Budget?
    let shards: Int

    init(bytes: Int?, entries: Int?, shards: Int) {
        self.bytes = bytes.map(Budget.init)
        self.entries = entries.map(Budget.init)
        self.shards = shards
    }

    /// What a shard takes beyond what it needs, so that it need not ask each time: nothing would be left to share of a
    /// small bound, all at once when there is nobody to share with.
    var byteBlock: Int { block(bytes?.limit ?? 0) }
    var entryBlock: Int { block(entries?.limit ?? 0) }

    private func block(_ limit: Int) -> Int { shards == 1 ? limit : limit / (shards * 16) }

    /// What one shard holds when all hold the same, in the unit of the weights.
    func weightPerShard(bytes weighsBytes: Bool) -> Int {
        max(1, ((weighsBytes ? bytes : entries)?.limit ?? 1) / shards)
    }
}
