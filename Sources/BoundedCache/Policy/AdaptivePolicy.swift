/// Follows whichever of two policies would have had more hits lately: S3-FIFO or W-TinyLFU with an adaptive window.
///
/// No single policy is good everywhere. S3-FIFO is best or near it where popularity decides and changes, W-TinyLFU holds
/// on to a part of a loop or scan that is larger than the cache. So both run as shadows, on hashes, with the full
/// capacity. The cache itself keeps what the leading shadow keeps: when room is needed, what the leader does not hold
/// leaves first, and if there is no such entry the leader chooses. After a change of leader nothing is moved at once: the
/// contents follow, an entry at each insertion.
///
/// The idea of one real cache that imitates the better of two simulated ones, with at most twice the misses of the better:
/// Subramanian, Smaragdakis and Loh, "Adaptive caches", MICRO 2006.
///
/// Only uses on which the shadows disagree count, and the last three for each entry count most. The other takes the lead
/// when it is ahead by more than chance would bring (1.4 standard deviations of a fair coin over that memory).
/// Where the two take turns, as in some loops, following each turn would cost the gain of both: every change of the lead
/// makes the next half as hard again, up to four times, and quiet lets that fade. W-TinyLFU leads at first: where the two
/// are equal it costs nothing, and short loops are over before anything could be learnt. The numbers were chosen on public
/// traces and on pieces of them, at 182 sizes, so that the result stays within a point or so of the better of the two
/// wherever it is not above both.
///
/// Costs over S3-FIFO alone: some 80 bytes an entry, and two or three cache misses a use.
struct AdaptivePolicy: ~Copyable {
    /// Disagreements remembered, per entry.
    static let memoryPerEntry = 3.0
    /// How much harder each change of the lead makes the next, and how hard it gets at most.
    static let marginGrowth = 1.5
    static let greatestMargin = 4.0
    /// Disagreements per entry until most of that is forgotten.
    static let patience = 16.0

    private var small: ShadowCache<SmallMainPolicy>
    private var window: ShadowCache<WindowPolicy>
    private var capacity: Int
    private var windowLeads = true
    /// Hits that W-TinyLFU had more than S3-FIFO, fading.
    private var advantage = 0.0
    /// How far ahead the other has to be, in units of the square root of the memory.
    private var margin = 1.0

    // The real entries, by the shadows that hold them too.
    private var inNone = SlotQueue(.inNoShadow)
    private var inSmall = SlotQueue(.inSmallShadow)
    private var inWindow = SlotQueue(.inWindowShadow)
    private var inBoth = SlotQueue(.inBothShadows)
    /// The weight the real cache reached before it had to evict, slowly falling: more the shadows may not hold either,
    /// whatever the capacity says, or they would be judged by memory that nobody has.
    private var attained: Int
    /// The hash of the key that comes next, when the shadows have seen it already.
    private var announced: UInt32?

    /// - Parameters:
    ///   - capacity: in the unit of the weights.
    ///   - entries: about how many entries that is.
    init(capacity: Int, entries: Int, seed: UInt64) {
        self.capacity = capacity
        attained = capacity
        small = ShadowCache(policy: SmallMainPolicy(capacity: capacity), capacity: capacity, entries: entries)
        window = ShadowCache(
            policy: WindowPolicy(capacity: capacity, entries: entries, seed: seed), capacity: capacity,
            entries: entries)
    }

    var bytes: Int { small.bytes + window.bytes }
    var growth: Int { small.growth + window.growth }

    mutating func grow() {
        small.grow()
        window.grow()
    }

    /// Gives back memory that fits a much larger cache; allocates less than it frees.
    mutating func compact(in store: borrowing SlotStore) {
        while small.isOverfull, let left = small.evict() { leave(.inSmallShadow, left, in: store) }
        while window.isOverfull, let left = window.evict() { leave(.inWindowShadow, left, in: store) }
        small.compact()
        window.compact()
    }

    mutating func setCapacity(_ capacity: Int) {
        self.capacity = capacity
        limitShadows(to: capacity)
    }

    /// A key that is not there is asked for, and will be admitted: the shadows decide before anybody has to leave.
    mutating func announce(tag: UInt32, weight: UInt32, in store: borrowing SlotStore) {
        use(tag: tag, weight: weight, in: store)
        announced = tag
    }

    mutating func hit(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot).pointee
        // Nearly always: the shadows agree, and nothing moves but within the window's queues.
        if record.queue == .inBothShadows, let smallEntry = small.find(record.tag),
            let windowEntry = window.find(record.tag)
        {
            small.hit(smallEntry)
            window.hit(windowEntry)
            return
        }
        use(tag: record.tag, weight: record.weight, in: store)
        link(slot, record.tag, in: store)
    }

    mutating func admit(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot).pointee
        inNone.pushHead(slot, in: store)
        if announced != record.tag { use(tag: record.tag, weight: record.weight, in: store) }
        announced = nil
        link(slot, record.tag, in: store)
    }

    mutating func evict(in store: borrowing SlotStore) -> Slot? {
        let weight = inNone.weight + inSmall.weight + inWindow.weight + inBoth.weight
        if weight != attained { limitShadows(to: max(weight, attained - max(1, (attained - weight) / 64))) }
        if inNone.count > 0 { return inNone.popTail(in: store) }
        if windowLeads, inSmall.count > 0 { return detach(inSmall.tail, in: store) }
        if !windowLeads, inWindow.count > 0 { return detach(inWindow.tail, in: store) }
        while let left = windowLeads ? window.evict() : small.evict() {
            guard left != .none else { continue }
            leave(windowLeads ? .inWindowShadow : .inSmallShadow, left, in: store)
            return detach(left, in: store)
        }
        return nil
    }

    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        let record = store.record(slot).pointee
        if isIn(.inSmallShadow, record.queue), let entry = small.find(record.tag) { small.remove(entry) }
        if isIn(.inWindowShadow, record.queue), let entry = window.find(record.tag) { window.remove(entry) }
        takeOut(slot, in: store)
    }

    mutating func relocate(from old: Slot, to new: Slot, in store: borrowing SlotStore) {
        let record = store.record(new).pointee
        switch record.queue {
        case .inSmallShadow: inSmall.relocate(from: old, to: new, in: store)
        case .inWindowShadow: inWindow.relocate(from: old, to: new, in: store)
        case .inBothShadows: inBoth.relocate(from: old, to: new, in: store)
        default: inNone.relocate(from: old, to: new, in: store)
        }
        if isIn(.inSmallShadow, record.queue), let entry = small.find(record.tag) { small.real(entry).pointee = new }
        if isIn(.inWindowShadow, record.queue), let entry = window.find(record.tag) {
            window.real(entry).pointee = new
        }
    }

    mutating func reweigh(_ slot: Slot, by difference: Int, in store: borrowing SlotStore) {
        let record = store.record(slot).pointee
        switch record.queue {
        case .inSmallShadow: inSmall.adjust(by: difference)
        case .inWindowShadow: inWindow.adjust(by: difference)
        case .inBothShadows: inBoth.adjust(by: difference)
        default: inNone.adjust(by: difference)
        }
        if isIn(.inSmallShadow, record.queue), let entry = small.find(record.tag) {
            small.reweigh(entry, to: record.weight)
        }
        if isIn(.inWindowShadow, record.queue), let entry = window.find(record.tag) {
            window.reweigh(entry, to: record.weight)
        }
    }

    // MARK: - Both shadows see every use

    private mutating func use(tag: UInt32, weight: UInt32, in store: borrowing SlotStore) {
        let smallEntry = small.find(tag)
        let windowEntry = window.find(tag)
        if (smallEntry == nil) != (windowEntry == nil) { vote(forWindow: windowEntry != nil) }
        if let smallEntry {
            small.hit(smallEntry)
        } else {
            // S3-FIFO makes room first: its ghost queue must not forget the newcomer for somebody who leaves for it.
            while small.isTooFull(for: Int(weight)), let left = small.evict() {
                leave(.inSmallShadow, left, in: store)
            }
            small.admit(tag: tag, weight: weight)
        }
        if let windowEntry {
            window.hit(windowEntry)
        } else {
            if window.isOutOfMemory, let left = window.evict() { leave(.inWindowShadow, left, in: store) }
            window.admit(tag: tag, weight: weight)
            while window.isTooFull(for: 0), let left = window.evict() { leave(.inWindowShadow, left, in: store) }
        }
    }

    private mutating func vote(forWindow: Bool) {
        let entries = Double(max(small.count, window.count, 1))
        let memory = AdaptivePolicy.memoryPerEntry * entries
        advantage += (forWindow ? 1 : -1) - advantage / memory
        margin += (1 - margin) / (AdaptivePolicy.patience * entries)
        let lead = windowLeads ? -advantage : advantage
        guard lead > 0, lead * lead > margin * margin * memory else { return }
        windowLeads.toggle()
        margin = min(margin * AdaptivePolicy.marginGrowth, AdaptivePolicy.greatestMargin)
    }

    private mutating func limitShadows(to weight: Int) {
        attained = min(capacity, weight)
        small.setCapacity(attained)
        window.setCapacity(attained)
    }

    // MARK: - Which shadows hold a real entry

    private func isIn(_ shadow: QueueName, _ queue: QueueName) -> Bool {
        queue == shadow || queue == .inBothShadows
    }

    /// The shadows' entries of this hash stand for this slot from now on.
    private mutating func link(_ slot: Slot, _ tag: UInt32, in store: borrowing SlotStore) {
        if let entry = small.find(tag) { link(small.real(entry), to: slot, .inSmallShadow, in: store) }
        if let entry = window.find(tag) { link(window.real(entry), to: slot, .inWindowShadow, in: store) }
    }

    private mutating func link(
        _ place: UnsafeMutablePointer<Slot>, to slot: Slot, _ shadow: QueueName, in store: borrowing SlotStore
    ) {
        let before = place.pointee
        guard before != slot else { return }
        // Another key with the same 32 bits: it is nobody's now, so it goes before long.
        leave(shadow, before, in: store)
        place.pointee = slot
        let queue = store.record(slot).pointee.queue
        move(slot, to: queue == .inNoShadow ? shadow : .inBothShadows, in: store)
    }

    /// A shadow holds a real entry no longer.
    private mutating func leave(_ shadow: QueueName, _ slot: Slot, in store: borrowing SlotStore) {
        guard slot != .none else { return }
        let other: QueueName = shadow == .inSmallShadow ? .inWindowShadow : .inSmallShadow
        move(slot, to: store.record(slot).pointee.queue == .inBothShadows ? other : .inNoShadow, in: store)
    }

    /// Takes a real entry out of its queue; the shadows keep theirs, which now stand for nothing real.
    private mutating func detach(_ slot: Slot, in store: borrowing SlotStore) -> Slot {
        let record = store.record(slot).pointee
        if isIn(.inSmallShadow, record.queue), let entry = small.find(record.tag) { small.real(entry).pointee = .none }
        if isIn(.inWindowShadow, record.queue), let entry = window.find(record.tag) {
            window.real(entry).pointee = .none
        }
        takeOut(slot, in: store)
        return slot
    }

    private mutating func move(_ slot: Slot, to queue: QueueName, in store: borrowing SlotStore) {
        takeOut(slot, in: store)
        switch queue {
        case .inSmallShadow: inSmall.pushHead(slot, in: store)
        case .inWindowShadow: inWindow.pushHead(slot, in: store)
        case .inBothShadows: inBoth.pushHead(slot, in: store)
        default: inNone.pushHead(slot, in: store)
        }
    }

    private mutating func takeOut(_ slot: Slot, in store: borrowing SlotStore) {
        switch store.record(slot).pointee.queue {
        case .inSmallShadow: inSmall.remove(slot, in: store)
        case .inWindowShadow: inWindow.remove(slot, in: store)
        case .inBothShadows: inBoth.remove(slot, in: store)
        default: inNone.remove(slot, in: store)
        }
    }
}
