/// S3-FIFO: a small queue that new entries must survive, a main queue for those that did, and a memory of those that did not.
///
/// Yang, Zhang, Qiu, Yue and Rashmi, "FIFO queues are all you need for cache eviction", SOSP 2023. A hit only counts up
/// to 3 and moves nothing. An entry that leaves the small queue with two uses or more goes to the main queue, any other
/// out, its hash into the ghost queue; who comes back while remembered enters the main queue at once. The main queue gives
/// entries with uses another round for one use.
///
/// Not in the paper, but in its authors' simulator: until the first eviction, entries that find the small queue full
/// enter the main queue at once. Without this a loop slightly larger than the cache never gets a hit.
struct SmallMainPolicy: QueuePolicy, ~Copyable {
    /// The small queue's share of the capacity.
    static let smallShare = 0.1
    static let ghostShare = 0.9
    /// Uses in the small queue that lead to the main queue.
    static let usesToStay: UInt8 = 2
    /// `ShardCore.hit` counts up to the same number itself: a hit is nothing but that.
    static let mostUses: UInt8 = 3

    private var small = SlotQueue(.entrance)
    private var main = SlotQueue(.main)
    /// Empty until evictions begin, when the number of entries the capacity holds is known.
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
        if main.weight <= mainTarget || main.count == 0, let slot = evictFromSmall(in: store) { return slot }
        while main.count > 0 {
            let slot = main.popTail(in: store)
            let record = store.record(slot)
            if record.pointee.frequency == 0 { return slot }
            record.pointee.frequency -= 1
            main.pushHead(slot, in: store)
        }
        return evictFromSmall(in: store)
    }

    /// Nil when every entry of the small queue had earned its place in the main queue.
    private mutating func evictFromSmall(in store: borrowing SlotStore) -> Slot? {
        while small.count > 0 {
            let slot = small.popTail(in: store)
            let record = store.record(slot)
            guard record.pointee.frequency >= SmallMainPolicy.usesToStay else {
                ghost.insert(record.pointee.tag)
                return slot
            }
            record.pointee.frequency = 0
            main.pushHead(slot, in: store)
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

    /// How many hashes the ghost queue should hold now; when entries become much smaller or larger, their number changes.
    private var wantedMemory: Int {
        guard hasEvicted else { return 0 }
        let wanted = max(Int(Double(count + 1) * SmallMainPolicy.ghostShare), 8)
        return ghost.capacity * 2 < wanted || ghost.capacity > wanted * 4 ? wanted : ghost.capacity
    }

    /// Bytes it would allocate on top of what it has, if it were allowed to; 0 when there is no need.
    var growth: Int {
        let wanted = wantedMemory
        return wanted == ghost.capacity ? 0 : max(0, GhostQueue.bytes(capacity: wanted) - ghost.bytes)
    }

    /// Forgets what a much larger cache remembered.
    mutating func compact() {
        if wantedMemory < ghost.capacity { grow() }
    }

    /// Makes the ghost queue fit the number of entries. What a queue of another size remembered is forgotten.
    mutating func grow() {
        let wanted = wantedMemory
        guard wanted != ghost.capacity else { return }
        ghost.reset(capacity: wanted)
    }
}
