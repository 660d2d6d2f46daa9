/// W-TinyLFU with an adaptive window: recency decides in a window, frequency decides who enters the main part.
///
/// Einziger, Friedman and Manes, "TinyLFU: a highly efficient cache admission policy", ACM TOS 2017, and "Adaptive
/// software cache management", Middleware 2018. The window is an LRU queue; what it pushes out meets the oldest entry of
/// the main part's probation, and whoever was seen less often leaves. A second use moves an entry from probation to the
/// protected part (four fifths of the main part). The window's share follows the traffic: see `WindowClimber`.
struct WindowPolicy: QueuePolicy, ~Copyable {
    static let protectedShare = 0.8
    /// Below this frequency a newcomer that is not more frequent has no chance; from it on, one in 128, so that nobody
    /// can keep an entry in by raising the counters of its rivals.
    static let warmFrequency = 6

    private var window = SlotQueue(.entrance)
    private var probation = SlotQueue(.main)
    private var protected = SlotQueue(.protected)
    private var sketch: FrequencySketch
    private var sketchEntries: Int
    private var climber: WindowClimber
    private var capacity: Int
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
    }

    var bytes: Int { sketch.bytes }
    var count: Int { window.count + probation.count + protected.count }

    private var windowTarget: Int { max(1, Int(Double(capacity) * climber.windowShare)) }
    private var protectedTarget: Int { Int(Double(capacity - windowTarget) * WindowPolicy.protectedShare) }

    mutating func setCapacity(_ capacity: Int) { self.capacity = capacity }

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
            demote(in: store)
            climber.note(.mainHit)
        case .protected:
            protected.moveToHead(slot, in: store)
            climber.note(.mainHit)
        default:
            break
        }
        climb()
    }

    mutating func admit(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot)
        sketch.add(record.pointee.tag)
        climber.note(.miss)
        climb()
        if Int(record.pointee.weight) > windowTarget {
            probation.pushHead(slot, in: store)
        } else {
            window.pushHead(slot, in: store)
        }
        // While there is room nobody has to leave, and the window only overflows into probation.
        while window.weight > windowTarget, window.weight + probation.weight + protected.weight < capacity {
            probation.pushHead(window.popTail(in: store), in: store)
        }
    }

    mutating func evict(in store: borrowing SlotStore) -> Slot? {
        demote(in: store)
        while window.weight >= windowTarget, window.count > 0 {
            let candidate = window.popTail(in: store)
            let rival = probation.tail != .none ? probation.tail : protected.tail
            guard rival != .none else { return candidate }
            guard admits(candidate, over: rival, in: store) else { return candidate }
            probation.pushHead(candidate, in: store)
            return pop(rival, in: store)
        }
        if probation.count > 0 { return probation.popTail(in: store) }
        if protected.count > 0 { return protected.popTail(in: store) }
        return window.count > 0 ? window.popTail(in: store) : nil
    }

    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        switch store.record(slot).pointee.queue {
        case .entrance: window.remove(slot, in: store)
        case .main: probation.remove(slot, in: store)
        case .protected: protected.remove(slot, in: store)
        default: break
        }
    }

    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore) {
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
        case .protected: protected.adjust(by: difference)
        default: break
        }
    }

    private mutating func pop(_ slot: Slot, in store: borrowing SlotStore) -> Slot {
        remove(slot, in: store)
        return slot
    }

    private mutating func demote(in store: borrowing SlotStore) {
        let target = protectedTarget
        while protected.weight > target, protected.count > 0 {
            probation.pushHead(protected.popTail(in: store), in: store)
        }
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
        let all = Double(max(count, 1))
        climber.step(windowDensityShare: Double(window.count) / all)
    }

    /// Bytes it would allocate on top of what it has, if it were allowed to; 0 when there is no need.
    var growth: Int { count <= sketchEntries ? 0 : FrequencySketch.bytes(entries: sketchEntries * 2) }

    /// The sketch follows the number of entries, which is not known beforehand when the bound is in bytes.
    mutating func grow() {
        guard count > sketchEntries else { return }
        sketchEntries *= 2
        sketch.grow(entries: sketchEntries)
        climber.resize(entries: sketchEntries)
    }
}
