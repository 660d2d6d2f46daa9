/// A policy that orders entries in queues; what `ShadowCache` runs.
protocol QueuePolicy: ~Copyable {
    /// Bytes of its own blocks, as the allocator counts them.
    var bytes: Int { get }
    /// Bytes that `grow` would allocate on top of what it has; 0 when there is no need.
    var growth: Int { get }
    mutating func grow()
    /// Gives back memory that fits a much larger cache; allocates less than it frees.
    mutating func compact()
    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore)
    mutating func setCapacity(_ capacity: Int)
    mutating func hit(_ slot: Slot, in store: borrowing SlotStore)
    mutating func admit(_ slot: Slot, in store: borrowing SlotStore)
    mutating func evict(in store: borrowing SlotStore) -> Slot?
    mutating func remove(_ slot: Slot, in store: borrowing SlotStore)
    mutating func reweigh(_ slot: Slot, by difference: Int, in store: borrowing SlotStore)
}

/// What a cache with this policy would hold: hashes and weights, no keys and no values.
///
/// Each entry knows the slot of the real cache that holds the same key, if one does. Keys are told apart by 32 bits of
/// their hash; two keys with the same are one entry here. Costs some 35 bytes an entry and one or two cache misses a use.
struct ShadowCache<Policy: QueuePolicy & ~Copyable>: ~Copyable {
    /// What an entry was before it left: the real slot that held the same key, or none.
    typealias Left = Slot

    private var store: SlotStore
    private var index = HashIndex()
    private var policy: Policy
    private var capacity: Int
    /// The sum of the weights.
    private(set) var held = 0

    init(policy: consuming Policy, capacity: Int, entries: Int) {
        self.policy = policy
        self.capacity = capacity
        store = SlotStore(
            stride: MemoryLayout<SlotRecord>.stride + MemoryLayout<Slot>.stride,
            chunkSlots: min(1_024, max(entries, 16)))
    }

    var count: Int { store.liveCount }
    var bytes: Int { store.bytes + index.bytes + policy.bytes }

    /// Bytes that `grow` would allocate now, at most.
    var growth: Int { store.growth + (index.isFull ? HashIndex.bytes(ofSize: index.nextSize) : 0) + policy.growth }

    /// Makes room for one more entry than there are. Nothing else allocates: without it an entry goes for each that comes.
    mutating func grow() {
        if store.growth > 0 { store.reserve() }
        if index.isFull { index.resize(to: index.nextSize) }
        if policy.growth > 0 { policy.grow() }
    }

    mutating func setCapacity(_ capacity: Int) {
        self.capacity = capacity
        policy.setCapacity(capacity)
    }

    /// Whether more is held than the capacity, which was lowered.
    var isOverfull: Bool { held > capacity }

    /// Gives back memory that fits a much larger cache; allocates less than it frees.
    mutating func compact() {
        while store.canVacateTightly {
            for old in store.beginVacating() where store.isUsed(old) {
                let new = store.move(old)
                real(new).pointee = real(old).pointee
                index.relocate(tag: store.record(new).pointee.tag, from: old, to: new)
                policy.relocate(from: old, to: new, in: store)
            }
            store.endVacating()
        }
        while index.isSparse { index.resize(to: index.sparserSize) }
        policy.compact()
    }

    // MARK: - Uses

    /// The entry of a hash; nil when this cache would not hold it.
    func find(_ tag: UInt32) -> Slot? {
        var position = index.home(tag)
        while true {
            let cell = index.cells[position]
            if cell == 0 { return nil }
            if HashIndex.tag(cell) == tag { return HashIndex.slot(cell) }
            position = index.after(position)
        }
    }

    mutating func hit(_ entry: Slot) { policy.hit(entry, in: store) }

    /// Whether something has to leave before an entry of this weight may come.
    func isTooFull(for weight: Int) -> Bool {
        guard count > 0 else { return false }
        return held + weight > capacity || weight > 0 && isOutOfMemory
    }

    /// Whether an entry has to leave for the memory of another one, since `grow` was not called.
    var isOutOfMemory: Bool { count > 0 && (store.freeCount == 0 || index.isFull) }

    /// Adds an entry. What is heavier than all stays out, and so does what there is no memory for.
    mutating func admit(tag: UInt32, weight: UInt32) {
        guard Int(weight) <= capacity, store.freeCount > 0, !index.isFull else { return }
        let entry = store.take(tag: tag, weight: weight)
        real(entry).pointee = .none
        index.insert(tag: tag, slot: entry)
        held += Int(weight)
        policy.admit(entry, in: store)
    }

    /// Lets the policy choose who leaves.
    /// - Returns: the real slot of the entry that left (none when it had none); nil when there is no entry.
    mutating func evict() -> Left? {
        guard let entry = policy.evict(in: store) else { return nil }
        return forget(entry)
    }

    mutating func remove(_ entry: Slot) {
        policy.remove(entry, in: store)
        _ = forget(entry)
    }

    mutating func reweigh(_ entry: Slot, to weight: UInt32) {
        let record = store.record(entry)
        let difference = Int(weight) - Int(record.pointee.weight)
        record.pointee.weight = weight
        held += difference
        policy.reweigh(entry, by: difference, in: store)
    }

    /// Where the real cache keeps the key of this entry; `none` when it does not.
    func real(_ entry: Slot) -> UnsafeMutablePointer<Slot> {
        (store.address(entry) + MemoryLayout<SlotRecord>.stride).assumingMemoryBound(to: Slot.self)
    }

    private mutating func forget(_ entry: Slot) -> Left {
        let record = store.record(entry).pointee
        let left = real(entry).pointee
        index.remove(tag: record.tag, slot: entry)
        held -= Int(record.weight)
        store.free(entry)
        return left
    }
}
