/// S3-FIFO: a small queue that new entries must survive, a main queue for those that did, and a memory of those that did not.
///
/// Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023. A hit only counts up
/// to 3 and moves nothing. An entry that leaves the small queue with two uses or more goes to the main queue, any other
/// out, its hash into the ghost queue; who comes back while remembered enters the main queue at once. The main queue gives
/// entries with uses another round for one use.
///
/// Not in the paper, but in its authors' simulator: until the first eviction, entries that find the small queue full
/// enter the main queue at once. Without this a loop slightly larger than the cache never gets a hit.
struct SmallMainPolicy: ~Copyable {
    /// The small queue's share of the capacity.
    static let smallShare = 0.1
    static let ghostShare = 0.9
    /// Uses in the small queue that lead to the main queue.
    static let usesToStay: UInt8 = 2
    static let mostUses: UInt8 = 3

    private var small = SlotQueue(.entrance)
    private var main = SlotQueue(.main)
    /// Made at the first eviction, when the number of entries the capacity holds is known.
    private var ghost = GhostQueue()
    private var smallTarget: Int
    private var mainTarget: Int
    private var hasEvicted = false

    init(capacity: Int) {
        smallTarget = Int(Double(capacity) * SmallMainPolicy.smallShare)
        mainTarget = capacity - smallTarget
    }

    var bytes: Int { ghost.bytes }
    var count: Int { small.count + main.count }

    mutating func setCapacity(_ capacity: Int) {
        smallTarget = Int(Double(capacity) * SmallMainPolicy.smallShare)
        mainTarget = capacity - smallTarget
    }

    @inline(__always)
    func hit(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot)
        if record.pointee.frequency < SmallMainPolicy.mostUses { record.pointee.frequency += 1 }
    }

    mutating func admit(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot)
        let wasHere = ghost.remove(record.pointee.tag)
        let tooHeavy = Int(record.pointee.weight) > smallTarget
        if wasHere || tooHeavy || (!hasEvicted && small.weight >= smallTarget) {
            main.pushHead(slot, in: store)
        } else {
            small.pushHead(slot, in: store)
        }
    }

    /// Takes the entry to evict out of its queue; nil when there is none. O(1) on average: each step of the search takes
    /// back a use that some hit has counted.
    mutating func evict(in store: borrowing SlotStore) -> Slot? {
        hasEvicted = true
        while count > 0 {
            if main.weight > mainTarget || small.count == 0 {
                let slot = main.popTail(in: store)
                let record = store.record(slot)
                if record.pointee.frequency == 0 { return slot }
                record.pointee.frequency -= 1
                main.pushHead(slot, in: store)
            } else {
                let slot = small.popTail(in: store)
                let record = store.record(slot)
                guard record.pointee.frequency >= SmallMainPolicy.usesToStay else {
                    remember(record.pointee.tag)
                    return slot
                }
                record.pointee.frequency = 0
                main.pushHead(slot, in: store)
            }
        }
        return nil
    }

    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        if store.record(slot).pointee.queue == .main {
            main.remove(slot, in: store)
        } else {
            small.remove(slot, in: store)
        }
    }

    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore) {
        if store.record(new).pointee.queue == .main {
            main.relocate(from: old, to: new, in: store)
        } else {
            small.relocate(from: old, to: new, in: store)
        }
    }

    mutating func reweigh(_ slot: Slot, by difference: Int, in store: borrowing SlotStore) {
        if store.record(slot).pointee.queue == .main {
            main.adjust(by: difference)
        } else {
            small.adjust(by: difference)
        }
    }

    private mutating func remember(_ tag: UInt32) {
        let wanted = max(Int(Double(count + 1) * SmallMainPolicy.ghostShare), 8)
        // When entries become much smaller or larger, their number changes; the memory then starts anew.
        let known = ghost.capacity
        if known * 2 < wanted || known > wanted * 4 { ghost = GhostQueue(capacity: wanted) }
        ghost.insert(tag)
    }
}
