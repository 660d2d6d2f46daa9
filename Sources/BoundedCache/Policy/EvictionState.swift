/// The policy of one shard: which slot has to leave. No lock, no clock, no values: slots in, slots out.
///
/// The owner tells it of every hit, admission, removal and move, and holds the bound itself.
struct EvictionState: ~Copyable {
    private var small: SmallMainPolicy
    private let window: UnsafeMutablePointer<WindowPolicy>?

    /// - Parameters:
    ///   - capacity: in the unit of the weights.
    ///   - entries: about how many entries that is; a guess that is too small is corrected by `grow`.
    ///   - seed: of random admissions.
    init(_ policy: EvictionPolicy, capacity: Int, entries: Int, seed: UInt64) {
        small = SmallMainPolicy(capacity: capacity)
        if policy == .s3fifo {
            window = nil
        } else {
            window = .allocate(capacity: 1)
            window?.initialize(to: WindowPolicy(capacity: capacity, entries: entries, seed: seed))
        }
    }

    deinit {
        window?.deinitialize(count: 1)
        window?.deallocate()
    }

    /// Bytes of its own blocks, as the allocator counts them.
    var bytes: Int { small.bytes + (window?.pointee.bytes ?? 0) }

    /// Bytes that `grow` would allocate on top of what it has; 0 when there is no need. Nothing else allocates.
    var growth: Int { window?.pointee.growth ?? small.growth }

    /// Makes the memory of the past fit the number of entries. The owner has made room for `growth` bytes; when it cannot,
    /// it does not call this, and the policy goes on with what it has.
    mutating func grow() {
        if let window { window.pointee.grow() } else { small.grow() }
    }

    mutating func setCapacity(_ capacity: Int) {
        small.setCapacity(capacity)
        window?.pointee.setCapacity(capacity)
    }

    /// An entry was used.
    @inline(__always)
    func hit(_ slot: Slot, in store: borrowing SlotStore) {
        if let window { window.pointee.hit(slot, in: store) } else { small.hit(slot, in: store) }
    }

    /// A new entry, in no queue yet.
    mutating func admit(_ slot: Slot, in store: borrowing SlotStore) {
        if let window { window.pointee.admit(slot, in: store) } else { small.admit(slot, in: store) }
    }

    /// A key was asked for whose entry may not come in.
    mutating func reject(_ tag: UInt32) {}

    /// Takes the entry that has to leave out of its queue; nil when there is none.
    mutating func evict(in store: borrowing SlotStore) -> Slot? {
        if let window { window.pointee.evict(in: store) } else { small.evict(in: store) }
    }

    /// An entry leaves for another reason.
    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        if let window { window.pointee.remove(slot, in: store) } else { small.remove(slot, in: store) }
    }

    /// The entry at `old` now lives at `new`; its record has been copied.
    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore) {
        if let window {
            window.pointee.relocate(from: old, to: new, in: store)
        } else {
            small.relocate(from: old, to: new, in: store)
        }
    }

    /// The weight of an entry was changed by `difference`; its record says the new one already.
    mutating func reweigh(_ slot: Slot, by difference: Int, in store: borrowing SlotStore) {
        if let window {
            window.pointee.reweigh(slot, by: difference, in: store)
        } else {
            small.reweigh(slot, by: difference, in: store)
        }
    }
}
