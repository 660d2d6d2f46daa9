/// W-TinyLFU with an adaptive window: recency decides in a window, frequency decides who enters the main part.
///
/// Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM TOS 2017, and "Adaptive
/// software cache management", Middleware 2018. The window is an LRU queue; what it pushes out meets the oldest entry of
/// the main part's probation, and whoever was seen less often leaves. A second use moves an entry from probation to the
/// protected part (four fifths of the main part). The window's share follows the traffic: see `WindowClimber`.
///
/// An entry is admitted first and `evict` called after it, for as long as the weights exceed the capacity: a newcomer
/// that is heavier than several residents has to be seen more often than each of them.
struct WindowPolicy: QueuePolicy, ~Copyable {
    static let protectedShare = 0.8
    /// Below this frequency a newcomer that is not more frequent has no chance; from it on, one in 128, so that nobody
    /// can keep an entry in by raising the counters of its rivals.
    static let warmFrequency = 6
    /// When the window's share changes, at most so many entries change sides at each use, so that no use waits for all.
    static let movesAtOnce = 16

    private var window = SlotQueue(.entrance)
    private var probation = SlotQueue(.main)
    private var protected = SlotQueue(.protected)
    /// What the window pushed out last, as long as it has to prove itself.
    private var candidate = Slot.none
    private var sketch: FrequencySketch
    private var sketchEntries: Int
    private var climber: WindowClimber
    private var capacity: Int
    private var windowTarget = 0
    private var protectedTarget = 0
    /// Weight that the window still gets from probation, after its share has grown.
    private var owedToWindow = 0
    private var random: UInt64

    /// - Parameters:
    ///   - capacity: in the unit of the weights.
    ///   - entries: about how many entries that is.
    init(capacity: Int, entries: Int, seed: UInt64) {
        self.capacity = capacity
        sketchEntries = max(entries, 16)
        sketch = FrequencySketch(entries: sketchEntries)
        climber = WindowClimber(entries: sketchEntries)
        random = seed | 1
        setTargets()
    }

    var bytes: Int { sketch.bytes }
    var count: Int { window.count + probation.count + protected.count }

    mutating func setCapacity(_ capacity: Int) {
        guard capacity != self.capacity else { return }
        self.capacity = capacity
        setTargets()
    }

    mutating func hit(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot)
        sketch.add(record.pointee.tag)
        switch record.pointee.queue {
        case .entrance:
            window.moveToHead(slot, in: store)
            climber.note(.windowHit)
        case .main:
            probation.remove(slot, in: store)
            protected.pushHead(slot, in: store)
            climber.note(.mainHit)
        default:
            protected.moveToHead(slot, in: store)
            climber.note(.mainHit)
        }
        climb()
        settle(in: store)
    }

    mutating func admit(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot)
        sketch.add(record.pointee.tag)
        climber.note(.miss)
        climb()
        // What is heavier than the whole window is the first that has to leave it.
        if Int(record.pointee.weight) > windowTarget {
            window.pushTail(slot, in: store)
        } else {
            window.pushHead(slot, in: store)
        }
        candidate = .none
        settle(in: store)
    }

    mutating func evict(in store: borrowing SlotStore) -> Slot? {
        while window.weight > windowTarget, window.count > 0 { overflow(in: store) }
        let rival = probation.tail != .none && probation.tail != candidate ? probation.tail : protected.tail
        if candidate != .none, rival != .none, !admits(candidate, over: rival, in: store) {
            return take(candidate, in: store)
        }
        if rival != .none { return take(rival, in: store) }
        return take(candidate != .none ? candidate : window.tail, in: store)
    }

    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        if slot == candidate { candidate = .none }
        switch store.record(slot).pointee.queue {
        case .entrance: window.remove(slot, in: store)
        case .main: probation.remove(slot, in: store)
        default: protected.remove(slot, in: store)
        }
    }

    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore) {
        if candidate == old { candidate = new }
        switch store.record(new).pointee.queue {
        case .entrance: window.relocate(from: old, to: new, in: store)
        case .main: probation.relocate(from: old, to: new, in: store)
        case .protected: protected.relocate(from: old, to: new, in: store)
        default: break
        }
    }

    mutating func reweigh(_ slot: Slot, by difference: Int, in store: borrowing SlotStore) {
        switch store.record(slot).pointee.queue {
        case .entrance: window.adjust(by: difference)
        case .main: probation.adjust(by: difference)
        default: protected.adjust(by: difference)
        }
    }

    // MARK: - Pieces

    /// The oldest of the window moves to probation; the first to do so is the candidate.
    private mutating func overflow(in store: borrowing SlotStore) {
        let slot = window.popTail(in: store)
        probation.pushHead(slot, in: store)
        if candidate == .none { candidate = slot }
    }

    private mutating func take(_ slot: Slot, in store: borrowing SlotStore) -> Slot? {
        guard slot != .none else { return nil }
        remove(slot, in: store)
        return slot
    }

    private mutating func admits(_ candidate: Slot, over rival: Slot, in store: borrowing SlotStore) -> Bool {
        let newcomer = sketch.frequency(store.record(candidate).pointee.tag)
        let resident = sketch.frequency(store.record(rival).pointee.tag)
        if newcomer > resident { return true }
        guard newcomer >= WindowPolicy.warmFrequency else { return false }
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return random & 127 == 0
    }

    private mutating func climb() {
        let before = windowTarget
        guard climber.step(windowWeight: windowTarget, mainWeight: capacity - windowTarget) else { return }
        setTargets()
        owedToWindow = max(0, windowTarget - before)
    }

    /// What the window gains the protected part loses: probation keeps its size.
    private mutating func setTargets() {
        windowTarget = max(1, Int(Double(capacity) * climber.windowShare))
        let rest = Double(capacity) * (1 - WindowClimber.firstShare)
        let gained = Double(capacity) * (climber.windowShare - WindowClimber.firstShare)
        protectedTarget = max(0, Int(rest * WindowPolicy.protectedShare - gained))
    }

    /// Brings the parts to their sizes, some entries at a time.
    private mutating func settle(in store: borrowing SlotStore) {
        var moves = 0
        while protected.weight > protectedTarget, moves < WindowPolicy.movesAtOnce {
            probation.pushHead(protected.popTail(in: store), in: store)
            moves += 1
        }
        while owedToWindow > 0, probation.count > 0, window.weight < windowTarget, moves < WindowPolicy.movesAtOnce {
            let slot = probation.popTail(in: store)
            owedToWindow -= Int(store.record(slot).pointee.weight)
            window.pushHead(slot, in: store)
            moves += 1
        }
        // What the window loses by a smaller share need not prove itself; what a newcomer pushes out does, when somebody
        // has to leave.
        let isFull = window.weight + probation.weight + protected.weight > capacity
        while !isFull, window.weight > windowTarget, window.count > 1, moves < WindowPolicy.movesAtOnce {
            probation.pushHead(window.popTail(in: store), in: store)
            moves += 1
        }
    }

    /// Bytes it would allocate on top of what it has, if it were allowed to; 0 when there is no need.
    var growth: Int { count <= sketchEntries ? 0 : FrequencySketch.bytes(entries: sketchEntries * 2) }

    /// The sketch of a cache that has become much smaller.
    mutating func compact() {
        while sketchEntries > 64, count * 4 < sketchEntries {
            sketchEntries /= 2
            sketch.shrink(entries: sketchEntries)
            climber.resize(entries: sketchEntries)
        }
    }

    /// The sketch follows the number of entries, which is not known beforehand when the bound is in bytes.
    mutating func grow() {
        guard count > sketchEntries else { return }
        sketchEntries *= 2
        sketch.grow(entries: sketchEntries)
        climber.resize(entries: sketchEntries)
    }
}
