/// One shard without its lock, and without knowing what keys and values are: slots, index, policy, time and bound.
///
/// Keys and values lie in the slots as raw memory; `BoundedCache` puts them in and takes them out. Every method is O(1)
/// unless it says otherwise. The order of an insertion: `hasRoom` until it is true, `evict` whenever it is not, then
/// `add`. Between those the shard never holds more than it was granted.
///
/// Methods on the way of a look-up or an insertion are `mutating` even where they only read: the compiler (6.3) copies the
/// whole struct, 600 bytes, to pass it to be read, and passes only its address to be changed.
@usableFromInline
struct ShardCore: ~Copyable {
    // What every hit touches comes first, so that it shares cache lines.
    @usableFromInline var hits: UInt64 = 0
    @usableFromInline let hitsOnlyMark: Bool
    @usableFromInline private(set) var store: SlotStore
    @usableFromInline private(set) var index = HashIndex()
    var policy: EvictionState
    var wheel: TimerWheel
    var tags = TagIndex()
    @usableFromInline var counters = ShardCounters()
    @usableFromInline let layout: ShardLayout
    let bounds: Bounds
    /// What the budgets have given to this shard.
    private(set) var grantedBytes = 0
    private(set) var grantedEntries = 0
    /// Heap bytes of all keys and values.
    private(set) var entryBytes = 0
    /// Slots that `evict` or `detach` took out and `free` has not given back yet.
    private var detached = 0

    init(layout: ShardLayout, bounds: Bounds, policy: EvictionPolicy, chunkSlots: Int, seed: UInt64) {
        self.layout = layout
        self.bounds = bounds
        hitsOnlyMark = policy == .s3fifo
        store = SlotStore(stride: layout.stride, chunkSlots: chunkSlots)
        wheel = TimerWheel(offset: layout.timesOffset)
        let share = bounds.weightPerShard(bytes: layout.weighsBytes)
        let entries = layout.weighsBytes ? 64 : share
        self.policy = EvictionState(policy, capacity: share, entries: entries, seed: seed)
    }

    /// Entries that can be found.
    @usableFromInline var count: Int { store.liveCount - detached }

    /// Bytes of the shard's own blocks.
    var structureBytes: Int {
        mutating get { store.bytes + index.bytes + policy.bytes + wheel.bytes + tags.bytes }
    }

    var heldBytes: Int { mutating get { structureBytes + entryBytes } }

    /// A use that found its entry.
    @inlinable @inline(__always)
    mutating func hit(_ slot: UInt32) { hit(slot, at: store.address(slot)) }

    /// The same with the entry's address.
    @inlinable @inline(__always)
    mutating func hit(_ slot: UInt32, at entry: UnsafeMutableRawPointer) {
        hits &+= 1
        if hitsOnlyMark {
            let record = entry.assumingMemoryBound(to: SlotRecord.self)
            if record.pointee.frequency < 3 { record.pointee.frequency &+= 1 }
        } else {
            tellPolicy(slot)
        }
    }

    @usableFromInline
    mutating func tellPolicy(_ slot: UInt32) { policy.hit(slot, in: store) }

    /// Heap bytes of key and value, as they were measured when they came.
    @usableFromInline
    mutating func heapBytes(of slot: UInt32) -> Int {
        if layout.weighsBytes { return Int(store.record(slot).pointee.weight) - layout.entryWeight }
        return layout.heapOffset > 0 ? Int(heapField(slot).pointee) : 0
    }

    private mutating func heapField(_ slot: Slot) -> UnsafeMutablePointer<UInt32> {
        (store.address(slot) + layout.heapOffset).assumingMemoryBound(to: UInt32.self)
    }

    // MARK: - Room

    /// Whether an entry can come in now; takes from the budgets what is missing. When false, evict one and ask again.
    ///
    /// - Parameters:
    ///   - heap: heap bytes of key and value, or by how much they grow.
    ///   - newEntry: whether it needs a slot.
    ///   - tagCount: how many tags it will bring.
    @usableFromInline
    mutating func hasRoom(heap: Int, newEntry: Bool, tagCount: Int) -> Bool {
        if newEntry, let budget = bounds.entries, count + 1 > grantedEntries {
            let taken = budget.take(count + 1 - grantedEntries, upTo: bounds.entryBlock)
            grantedEntries += taken
            if taken > 0 { capacityChanged() }
            if count + 1 > grantedEntries {
                // Entries are the tighter bound: shares of the policy are shares of what that lets in.
                if layout.weighsBytes { policy.setCapacity(max(1, entryBytes + count * layout.entryWeight)) }
                return false
            }
        }
        guard let budget = bounds.bytes else { return true }
        var needed = heap + tags.growth(adding: tagCount)
        if newEntry {
            needed += store.growth
            if index.isFull { needed += HashIndex.bytes(ofSize: index.nextSize) }
        }
        let missing = heldBytes + needed - grantedBytes
        guard missing > 0 else { return true }
        let taken = budget.take(missing, upTo: missing + bounds.byteBlock)
        grantedBytes += taken
        if taken > 0 { capacityChanged() }
        return taken > 0
    }

    /// Lets the policy grow its memory when there is room for it beside what an insertion needs.
    ///
    /// - Returns: whether an entry should be evicted beyond what the insertion needs, so that room comes to be by and by.
    @usableFromInline
    mutating func growPolicy(heap: Int, newEntry: Bool, tagCount: Int) -> Bool {
        let growth = policy.growth
        guard growth > 0 else { return false }
        guard hasRoom(heap: heap + growth, newEntry: newEntry, tagCount: tagCount) else { return true }
        policy.grow()
        return false
    }

    /// A new entry is about to come in: the policy is told before it is asked who has to leave.
    @usableFromInline
    mutating func announce(tag: UInt32, heap: Int) {
        policy.announce(
            tag: tag, weight: UInt32(layout.weighsBytes ? heap + layout.entryWeight : 1), in: store)
    }

    /// Takes the entry that has to leave out of index, queues and books. Its key and value stay in the slot until the
    /// caller has moved them out and calls `free`. Nil when the shard is empty.
    @usableFromInline
    mutating func evict() -> UInt32? {
        guard let slot = policy.evict(in: store) else { return nil }
        forget(slot)
        return slot
    }

    /// The same for an entry that leaves for another reason than want of room.
    @usableFromInline
    mutating func detach(_ slot: UInt32) {
        policy.remove(slot, in: store)
        forget(slot)
    }

    private mutating func forget(_ slot: Slot) {
        let record = store.record(slot).pointee
        index.remove(tag: record.tag, slot: slot)
        entryBytes -= heapBytes(of: slot)
        tags.removeAll(of: slot, in: store)
        if layout.timesOffset > 0 { wheel.remove(slot, in: store) }
        detached += 1
    }

    /// Gives the slot of a departed entry back.
    @usableFromInline
    mutating func free(_ slot: UInt32) {
        store.free(slot)
        detached -= 1
    }

    // MARK: - Entries

    /// Adds an entry; `hasRoom` has said yes. The caller fills in key and value before anyone else looks.
    @usableFromInline
    mutating func add(tag: UInt32, heap: Int, flags: UInt16, times: Times?, tags: [UInt64]) -> UInt32 {
        if index.isFull { index.resize(to: index.nextSize) }
        let slot = store.take(tag: tag, weight: UInt32(layout.weighsBytes ? heap + layout.entryWeight : 1))
        store.record(slot).pointee.flags = flags
        if layout.heapOffset > 0 { heapField(slot).pointee = UInt32(heap) }
        index.insert(tag: tag, slot: slot)
        entryBytes += layout.weighsBytes || layout.heapOffset > 0 ? heap : 0
        if let times { start(slot, times, isNew: true) }
        if !tags.isEmpty { self.tags.add(tags, to: slot, in: store) }
        policy.admit(slot, in: store)
        counters.insertions &+= 1
        return slot
    }

    /// The entry got another value; `hasRoom` has said yes to what it grows by. A replacement counts as a use.
    @usableFromInline
    mutating func replace(_ slot: UInt32, heap: Int, flags: UInt16, times: Times?, tags: [UInt64]?) {
        let record = store.record(slot)
        record.pointee.flags = flags
        let difference = heap - heapBytes(of: slot)
        if layout.weighsBytes {
            record.pointee.weight = UInt32(heap + layout.entryWeight)
            policy.reweigh(slot, by: difference, in: store)
        } else if layout.heapOffset > 0 {
            heapField(slot).pointee = UInt32(heap)
        }
        if layout.weighsBytes || layout.heapOffset > 0 { entryBytes += difference }
        if let times { start(slot, times, isNew: false) }
        if let tags {
            self.tags.removeAll(of: slot, in: store)
            if !tags.isEmpty { self.tags.add(tags, to: slot, in: store) }
        }
        policy.hit(slot, in: store)
        counters.insertions &+= 1
    }

    // MARK: - Giving back

    /// Whether a whole chunk of slots could be given back; `BoundedCache` then moves the entries.
    @usableFromInline var canVacate: Bool { mutating get { detached == 0 && store.canVacate } }
    /// The same without a chunk to spare.
    @usableFromInline var canVacateTightly: Bool { mutating get { detached == 0 && store.canVacateTightly } }

    /// Whether so much was granted and is not held that others should have it.
    @usableFromInline var hasSurplus: Bool {
        mutating get {
            guard bounds.bytes != nil, bounds.shards > 1 else { return false }
            return grantedBytes - heldBytes > 2 * bounds.byteBlock
        }
    }

    /// Begins to empty the last chunk: moves its entries with `move` and `relocate`, then `endVacating`.
    @usableFromInline
    mutating func beginVacating() -> Range<UInt32> { store.beginVacating() }

    @usableFromInline
    mutating func move(_ slot: UInt32) -> UInt32 { store.move(slot) }

    @usableFromInline
    mutating func endVacating() { store.endVacating() }

    /// The entry at `old` was moved to `new`, key and value included.
    @usableFromInline
    mutating func relocate(from old: UInt32, to new: UInt32) {
        let tag = store.record(new).pointee.tag
        if layout.heapOffset > 0 { heapField(new).pointee = heapField(old).pointee }
        index.relocate(tag: tag, from: old, to: new)
        policy.relocate(from: old, to: new, in: store)
        tags.relocate(to: new, in: store)
        guard layout.timesOffset > 0 else { return }
        wheel.times(new, in: store).pointee = wheel.times(old, in: store).pointee
        wheel.relocate(to: new, in: store)
    }

    /// Shrinks the index when it is much too large, and returns what is not needed to the budgets.
    ///
    /// - Parameter everything: without keeping a reserve for the next insertions.
    @usableFromInline
    mutating func giveBack(everything: Bool) {
        if index.isSparse, heldBytes + HashIndex.bytes(ofSize: index.sparserSize) <= max(grantedBytes, heldBytes * 2) {
            index.resize(to: index.sparserSize)
        }
        if everything {
            capacityChanged()
            policy.compact(in: store)
            tags.compact(in: store)
        }
        if let budget = bounds.bytes {
            let reserve = everything ? 0 : bounds.byteBlock
            let surplus = grantedBytes - heldBytes - reserve
            if surplus > (everything ? 0 : bounds.byteBlock) {
                grantedBytes -= surplus
                budget.give(surplus)
                capacityChanged()
            }
        }
        if let budget = bounds.entries {
            let reserve = everything ? 0 : bounds.entryBlock
            let surplus = grantedEntries - count - reserve
            if surplus > (everything ? 0 : bounds.entryBlock) {
                grantedEntries -= surplus
                budget.give(surplus)
                capacityChanged()
            }
        }
    }

    /// Takes the shard's own blocks, which exist from the beginning, from the budget.
    mutating func claimStructure() {
        guard let budget = bounds.bytes else { return }
        grantedBytes = heldBytes
        budget.give(-grantedBytes)
    }

    /// The bound was changed.
    mutating func refit() {
        capacityChanged()
        giveBack(everything: true)
    }

    private mutating func capacityChanged() {
        let share = bounds.weightPerShard(bytes: layout.weighsBytes)
        policy.setCapacity(max(share, layout.weighsBytes ? grantedBytes - structureOnly : grantedEntries))
    }

    /// Structure that the weights of entries do not include.
    private var structureOnly: Int {
        mutating get { max(0, heldBytes - entryBytes - count * layout.entryWeight) }
    }
}
