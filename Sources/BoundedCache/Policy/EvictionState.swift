/// The policy of one shard: which slot has to leave. No lock, no clock, no values: slots in, slots out.
///
/// The owner tells it of every hit, admission, removal and move, and holds the bound itself.
struct EvictionState: ~Copyable {
    private enum Kind {
        case s3fifo
        case adaptive(UnsafeMutablePointer<AdaptivePolicy>)
    }

    private var small: SmallMainPolicy
    private let kind: Kind

    /// - Parameters:
    ///   - capacity: in the unit of the weights.
    ///   - entries: about how many entries that is; a guess that is too small is corrected by `grow`.
    ///   - seed: of random admissions.
    init(_ policy: EvictionPolicy, capacity: Int, entries: Int, seed: UInt64) {
        small = SmallMainPolicy(capacity: capacity)
        switch policy {
        case .s3fifo:
            kind = .s3fifo
        case .adaptive:
            let adaptive = UnsafeMutablePointer<AdaptivePolicy>.allocate(capacity: 1)
            adaptive.initialize(to: AdaptivePolicy(capacity: capacity, entries: entries, seed: seed))
            kind = .adaptive(adaptive)
        }
    }

    deinit {
        switch kind {
        case .s3fifo: break
        case .adaptive(let adaptive):
            adaptive.deinitialize(count: 1)
            adaptive.deallocate()
        }
    }

    /// Bytes of its own blocks, as the allocator counts them.
    var bytes: Int {
        switch kind {
        case .s3fifo: small.bytes
        case .adaptive(let adaptive): HeapMemory.bytes(at: adaptive) + adaptive.pointee.bytes
        }
    }

    /// Bytes that `grow` would allocate on top of what it has; 0 when there is no need. Nothing else allocates.
    var growth: Int {
        switch kind {
        case .s3fifo: small.growth
        case .adaptive(let adaptive): adaptive.pointee.growth
        }
    }

    /// Makes the memory of the past fit the number of entries. The owner has made room for `growth` bytes; when it cannot,
    /// it does not call this, and the policy goes on with what it has.
    mutating func grow() {
        switch kind {
        case .s3fifo: small.grow()
        case .adaptive(let adaptive): adaptive.pointee.grow()
        }
    }

    /// Gives back memory that fits a much larger cache; allocates less than it frees.
    mutating func compact(in store: borrowing SlotStore) {
        switch kind {
        case .s3fifo: small.compact()
        case .adaptive(let adaptive): adaptive.pointee.compact(in: store)
        }
    }

    mutating func setCapacity(_ capacity: Int) {
        switch kind {
        case .s3fifo: small.setCapacity(capacity)
        case .adaptive(let adaptive): adaptive.pointee.setCapacity(capacity)
        }
    }

    /// An entry was used.
    @inline(__always)
    func hit(_ slot: Slot, in store: borrowing SlotStore) {
        switch kind {
        case .s3fifo: small.hit(slot, in: store)
        case .adaptive(let adaptive): adaptive.pointee.hit(slot, in: store)
        }
    }

    /// A key that was not there is about to be admitted; tell it before making room with `evict`.
    @inline(__always)
    mutating func announce(tag: UInt32, weight: UInt32, in store: borrowing SlotStore) {
        guard case .adaptive(let adaptive) = kind else { return }
        adaptive.pointee.announce(tag: tag, weight: weight, in: store)
    }

    /// A new entry, in no queue yet.
    mutating func admit(_ slot: Slot, in store: borrowing SlotStore) {
        switch kind {
        case .s3fifo: small.admit(slot, in: store)
        case .adaptive(let adaptive): adaptive.pointee.admit(slot, in: store)
        }
    }

    /// A key was asked for whose entry may not come in.
    mutating func reject(_ tag: UInt32) {}

    /// Takes the entry that has to leave out of its queue; nil when there is none.
    mutating func evict(in store: borrowing SlotStore) -> Slot? {
        switch kind {
        case .s3fifo: small.evict(in: store)
        case .adaptive(let adaptive): adaptive.pointee.evict(in: store)
        }
    }

    /// An entry leaves for another reason.
    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        switch kind {
        case .s3fifo: small.remove(slot, in: store)
        case .adaptive(let adaptive): adaptive.pointee.remove(slot, in: store)
        }
    }

    /// The entry at `old` now lives at `new`; its record has been copied.
    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore) {
        switch kind {
        case .s3fifo: small.relocate(from: old, to: new, in: store)
        case .adaptive(let adaptive): adaptive.pointee.relocate(from: old, to: new, in: store)
        }
    }

    /// The weight of an entry was changed by `difference`; its record says the new one already.
    mutating func reweigh(_ slot: Slot, by difference: Int, in store: borrowing SlotStore) {
        switch kind {
        case .s3fifo: small.reweigh(slot, by: difference, in: store)
        case .adaptive(let adaptive): adaptive.pointee.reweigh(slot, by: difference, in: store)
        }
    }
}
