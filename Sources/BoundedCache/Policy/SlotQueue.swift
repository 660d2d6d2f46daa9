/// A queue of slots, linked through their records: every operation is O(1), removal from the middle too.
struct SlotQueue {
    let name: QueueName
    /// Where entries come in.
    private(set) var head = Slot.none
    /// The oldest.
    private(set) var tail = Slot.none
    private(set) var count = 0
    /// Sum of the weights.
    private(set) var weight = 0

    init(_ name: QueueName) {
        self.name = name
    }

    @inline(__always)
    mutating func pushHead(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot)
        record.pointee.queue = name
        record.pointee.previous = .none
        record.pointee.next = head
        if head != .none { store.record(head).pointee.previous = slot } else { tail = slot }
        head = slot
        count += 1
        weight += Int(record.pointee.weight)
    }

    mutating func pushTail(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot)
        record.pointee.queue = name
        record.pointee.next = .none
        record.pointee.previous = tail
        if tail != .none { store.record(tail).pointee.next = slot } else { head = slot }
        tail = slot
        count += 1
        weight += Int(record.pointee.weight)
    }

    @inline(__always)
    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot).pointee
        if record.previous != .none {
            store.record(record.previous).pointee.next = record.next
        } else {
            head = record.next
        }
        if record.next != .none {
            store.record(record.next).pointee.previous = record.previous
        } else {
            tail = record.previous
        }
        count -= 1
        weight -= Int(record.weight)
    }

    @inline(__always)
    mutating func popTail(in store: borrowing SlotStore) -> Slot {
        let slot = tail
        if slot != .none { remove(slot, in: store) }
        return slot
    }

    @inline(__always)
    mutating func moveToHead(_ slot: Slot, in store: borrowing SlotStore) {
        guard head != slot else { return }
        remove(slot, in: store)
        pushHead(slot, in: store)
    }

    /// The entry at `old` now lives at `new`; its record has been copied.
    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore) {
        let record = store.record(new).pointee
        if record.previous != .none { store.record(record.previous).pointee.next = new } else { head = new }
        if record.next != .none { store.record(record.next).pointee.previous = new } else { tail = new }
    }

    /// The weight of an entry of this queue changed by `difference`.
    mutating func adjust(by difference: Int) {
        weight += difference
    }
}
