/// Runs an eviction policy without values: the very code that a cache runs, for measuring hit ratios.
public struct PolicySimulator: ~Copyable {
    private var store: SlotStore
    private var index = HashIndex()
    private var state: EvictionState
    private let capacity: Int
    private let key: UInt64
    private var held = 0

    /// How many entries it holds now.
    public var count: Int { store.liveCount }
    /// The sum of their weights; never more than the capacity.
    public var weight: Int { held }

    /// - Parameters:
    ///   - policy: who has to leave.
    ///   - capacity: bound on the sum of the weights; with weights of 1 the number of entries. Up to 2^31 entries.
    ///   - entries: about how many entries that is, where weights are not 1; may be far too low.
    ///   - seed: of the hash and of random admissions; equal seeds give equal answers.
    public init(policy: EvictionPolicy, capacity: Int, entries: Int? = nil, seed: UInt64) {
        let bound = max(capacity, 1)
        self.capacity = bound
        store = SlotStore(
            stride: MemoryLayout<SlotRecord>.stride + MemoryLayout<UInt64>.stride, chunkSlots: min(1_024, bound))
        state = EvictionState(policy, capacity: bound, entries: entries ?? min(bound, 1 << 17), seed: seed)
        key = seed
    }

    /// One use of a key: true when it was there. When it was not it is now, unless it is heavier than the capacity.
    public mutating func access(keyHash: UInt64, weight: Int = 1) -> Bool {
        let tag = PolicySimulator.tag(keyHash ^ key)
        if let slot = find(keyHash, tag) {
            state.hit(slot, in: store)
            return true
        }
        guard weight <= capacity, weight >= 0, weight < Int(UInt32.max) else {
            state.reject(tag)
            return false
        }
        if state.growth > 0 { state.grow() }
        state.announce(tag: tag, weight: UInt32(weight), in: store)
        while held + weight > capacity, let victim = state.evict(in: store) { forget(victim) }
        if index.isFull { index.resize(to: index.nextSize) }
        let slot = store.take(tag: tag, weight: UInt32(weight))
        payload(slot).pointee = keyHash
        index.insert(tag: tag, slot: slot)
        held += weight
        state.admit(slot, in: store)
        return false
    }

    private func find(_ keyHash: UInt64, _ tag: UInt32) -> Slot? {
        var position = index.home(tag)
        while true {
            let cell = index.cells[position]
            if cell == 0 { return nil }
            if HashIndex.tag(cell) == tag {
                let slot = HashIndex.slot(cell)
                if payload(slot).pointee == keyHash { return slot }
            }
            position = index.after(position)
        }
    }

    private mutating func forget(_ slot: Slot) {
        let record = store.record(slot).pointee
        index.remove(tag: record.tag, slot: slot)
        held -= Int(record.weight)
        store.free(slot)
    }

    private func payload(_ slot: Slot) -> UnsafeMutablePointer<UInt64> {
        (store.address(slot) + MemoryLayout<SlotRecord>.stride).assumingMemoryBound(to: UInt64.self)
    }

    private static func tag(_ hash: UInt64) -> UInt32 {
        var mixed = (hash ^ (hash >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return UInt32(truncatingIfNeeded: mixed ^ (mixed >> 31))
    }
}
