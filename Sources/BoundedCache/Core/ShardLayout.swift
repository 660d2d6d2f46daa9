/// Where in a slot what lies, and what a slot costs. The same for all shards of a cache.
@usableFromInline
struct ShardLayout: Sendable {
    /// Of the `EntryTimes`; 0 in caches without time.
    @usableFromInline let timesOffset: Int
    @usableFromInline let keyOffset: Int
    @usableFromInline let valueOffset: Int
    @usableFromInline let stride: Int
    /// Whether weights are bytes; else every entry weighs 1.
    @usableFromInline let weighsBytes: Bool
    /// Where an entry's heap bytes stand, when its weight does not tell them; 0 when nobody measures them.
    let heapOffset: Int
    /// What an entry weighs beside the heap bytes of key and value: its slot and its share of index and ghost queue. An
    /// estimate for the policy's shares; the bound itself is kept with the real sizes of all blocks.
    let entryWeight: Int

    init<Key, Value>(_: Key.Type, _: Value.Type, isTimed: Bool, weighsBytes: Bool, measuresHeap: Bool) {
        var end = MemoryLayout<SlotRecord>.stride
        timesOffset = isTimed ? end : 0
        if isTimed { end += MemoryLayout<EntryTimes>.stride }
        heapOffset = measuresHeap && !weighsBytes ? end : 0
        if heapOffset > 0 { end += MemoryLayout<UInt32>.stride }
        keyOffset = end.aligned(to: MemoryLayout<Key>.alignment)
        valueOffset = (keyOffset + MemoryLayout<Key>.size).aligned(to: MemoryLayout<Value>.alignment)
        stride = (valueOffset + MemoryLayout<Value>.size)
            .aligned(to: max(8, MemoryLayout<Key>.alignment, MemoryLayout<Value>.alignment))
        self.weighsBytes = weighsBytes
        entryWeight = stride + 20
        precondition(
            max(MemoryLayout<Key>.alignment, MemoryLayout<Value>.alignment) <= 16,
            "keys and values of a cache may be aligned to 16 bytes at most; wrap wider ones in a class")
    }
}

extension Int {
    func aligned(to alignment: Int) -> Int { (self + alignment - 1) & ~(alignment - 1) }
}
