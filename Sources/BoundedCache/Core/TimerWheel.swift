/// Finds entries whose time has come without looking at the others: a hierarchical timing wheel.
///
/// Varghese and Lauck, "Hashed and hierarchical timing wheels", 1987. Four wheels of 64 lists, a tick of 134 ms: 8.6 s,
/// 9 min, 10 h and 26 days around; later times wait in the last list and are looked at again. A list whose time has come
/// is moved as a whole to the due list, in O(1); how many of those are looked at per call is up to the caller, so no call
/// takes long. Nothing depends on the wheel's precision: reads check the exact time.
struct TimerWheel: ~Copyable {
    private struct Head {
        var previous: WheelLink
        var next: WheelLink
    }

    private static let tickBits: Int64 = 27
    private static let levels = 4
    private static let dueList = levels * 64

    /// Nil in caches without time.
    private let heads: UnsafeMutablePointer<Head>?
    /// Where in a slot its `EntryTimes` lie.
    let offset: Int
    private var tick: Int64 = 0
    let bytes: Int

    /// - Parameter offset: of the times in a slot; 0 when the cache has none.
    init(offset: Int) {
        self.offset = offset
        guard offset > 0 else {
            heads = nil
            bytes = 0
            return
        }
        let count = TimerWheel.dueList + 1
        let block = HeapMemory.allocate(count * MemoryLayout<Head>.stride)
        let heads = block.assumingMemoryBound(to: Head.self)
        for list in 0..<count {
            let link = WheelLink(list) | .listBit
            heads[list] = Head(previous: link, next: link)
        }
        self.heads = heads
        bytes = HeapMemory.bytes(at: block)
    }

    deinit {
        if let heads { HeapMemory.release(UnsafeMutableRawPointer(heads)) }
    }

    @inline(__always)
    func times(_ slot: Slot, in store: borrowing SlotStore) -> UnsafeMutablePointer<EntryTimes> {
        (store.address(slot) + offset).assumingMemoryBound(to: EntryTimes.self)
    }

    /// Puts an entry where it will be found at `deadline` or soon after. It must stand in no list.
    mutating func schedule(_ slot: Slot, at deadline: Int64, in store: borrowing SlotStore) {
        let record = times(slot, in: store)
        guard deadline != EntryTimes.never else {
            record.pointee.previous = .unlinked
            record.pointee.next = .unlinked
            return
        }
        // The list of a tick is due when the tick has passed.
        let target = max((deadline >> TimerWheel.tickBits) + 1, tick + 1)
        let distance = target - tick
        var level = 0
        while level < TimerWheel.levels - 1, distance >= 1 << Int64(6 * (level + 1)) { level += 1 }
        let furthest = tick + (1 << Int64(6 * TimerWheel.levels)) - 1
        let list = level * 64 + Int((min(target, furthest) >> Int64(6 * level)) & 63)
        append(slot, to: list, in: store)
    }

    mutating func remove(_ slot: Slot, in store: borrowing SlotStore) {
        let links = times(slot, in: store).pointee
        guard links.previous != .unlinked else { return }
        setNext(of: links.previous, to: links.next, in: store)
        setPrevious(of: links.next, to: links.previous, in: store)
    }

    /// The entry at `old` now lives at `new`; its times have been copied.
    mutating func relocate(to new: Slot, in store: borrowing SlotStore) {
        let links = times(new, in: store).pointee
        guard links.previous != .unlinked else { return }
        setNext(of: links.previous, to: new, in: store)
        setPrevious(of: links.next, to: new, in: store)
    }

    /// Moves every list whose time has come to the due list.
    mutating func advance(to now: Int64, in store: borrowing SlotStore) {
        let target = now >> TimerWheel.tickBits
        guard target > tick else { return }
        for level in 0..<TimerWheel.levels {
            let shift = Int64(6 * level)
            let from = tick >> shift
            let passed = min((target >> shift) - from, 64)
            guard passed > 0 else { break }
            for step in 1...passed { moveToDue(level * 64 + Int((from + step) & 63), in: store) }
        }
        tick = target
    }

    /// The next entry of the due list, taken out of it; the caller removes it or schedules it again.
    mutating func popDue(in store: borrowing SlotStore) -> Slot? {
        guard let heads else { return nil }
        let link = heads[TimerWheel.dueList].next
        guard link & .listBit == 0 else { return nil }
        remove(link, in: store)
        return link
    }

    private func append(_ slot: Slot, to list: Int, in store: borrowing SlotStore) {
        guard let heads else { return }
        let head = WheelLink(list) | .listBit
        let last = heads[list].previous
        times(slot, in: store).pointee.previous = last
        times(slot, in: store).pointee.next = head
        setNext(of: last, to: slot, in: store)
        heads[list].previous = slot
    }

    private func moveToDue(_ list: Int, in store: borrowing SlotStore) {
        guard let heads, heads[list].next & .listBit == 0 else { return }
        let first = heads[list].next
        let last = heads[list].previous
        let head = WheelLink(list) | .listBit
        heads[list] = Head(previous: head, next: head)
        let before = heads[TimerWheel.dueList].previous
        setNext(of: before, to: first, in: store)
        times(first, in: store).pointee.previous = before
        times(last, in: store).pointee.next = WheelLink(TimerWheel.dueList) | .listBit
        heads[TimerWheel.dueList].previous = last
    }

    private func setNext(of link: WheelLink, to next: WheelLink, in store: borrowing SlotStore) {
        if link & .listBit != 0 {
            heads?[Int(link & ~.listBit)].next = next
        } else {
            times(link, in: store).pointee.next = next
        }
    }

    private func setPrevious(of link: WheelLink, to previous: WheelLink, in store: borrowing SlotStore) {
        if link & .listBit != 0 {
            heads?[Int(link & ~.listBit)].previous = previous
        } else {
            times(link, in: store).pointee.previous = previous
        }
    }
}
