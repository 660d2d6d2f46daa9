/// From a hash tag to slots: open addressing with linear probing, 8 bytes a cell, at most three quarters full.
///
/// Cells are ordered by the tag's value, so that a table of any size (not only of powers of two) can be used and grown by
/// half. Removal shifts the following cells back: there are no tombstones, and a table that lives for ever stays fast.
@usableFromInline
struct HashIndex: ~Copyable {
    /// Tag in the upper half, slot + 1 in the lower; 0 is empty.
    @usableFromInline private(set) var cells: UnsafeMutablePointer<UInt64>
    @usableFromInline private(set) var size: Int
    private(set) var count = 0
    private(set) var bytes: Int

    static let smallest = 16

    init(size: Int = HashIndex.smallest) {
        self.size = max(size, HashIndex.smallest)
        let block = HeapMemory.allocateZeroed(self.size * MemoryLayout<UInt64>.stride)
        cells = block.assumingMemoryBound(to: UInt64.self)
        bytes = HeapMemory.bytes(at: block)
    }

    // Inlinable because the compiler (6.3) inlines it into the accessors that inlined code uses, and fails when it may not.
    @inlinable
    deinit { release() }

    @usableFromInline
    func release() { HeapMemory.release(UnsafeMutableRawPointer(cells)) }

    @inlinable @inline(__always)
    func home(_ tag: UInt32) -> Int {
        Int(truncatingIfNeeded: (UInt64(tag) &* UInt64(truncatingIfNeeded: size)) >> 32)
    }

    @inlinable @inline(__always)
    func after(_ position: Int) -> Int {
        let next = position &+ 1
        return next == size ? 0 : next
    }

    @inlinable @inline(__always)
    static func tag(_ cell: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: cell >> 32) }

    @inlinable @inline(__always)
    static func slot(_ cell: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: cell) &- 1 }

    @inline(__always)
    static func cell(_ tag: UInt32, _ slot: Slot) -> UInt64 { UInt64(tag) << 32 | UInt64(slot &+ 1) }

    /// A cell with the tag among the four from its home on; its home's when there is none, or the table's end is near.
    ///
    /// Without a branch: in which of them a tag stands is no more predictable than a coin, and a wrong guess of the
    /// processor costs more than looking at all four. They mostly lie in one cache line.
    @inlinable @inline(__always)
    func near(_ tag: UInt32, _ home: Int) -> UInt64 {
        let place = cells + home
        var found = place[0]
        guard home &+ 4 <= size else { return found }
        let (second, third, fourth) = (place[1], place[2], place[3])
        found = HashIndex.holds(tag, fourth) ? fourth : found
        found = HashIndex.holds(tag, third) ? third : found
        found = HashIndex.holds(tag, second) ? second : found
        return found
    }

    /// Whether a cell is not empty and has the tag.
    @inlinable @inline(__always)
    static func holds(_ tag: UInt32, _ cell: UInt64) -> Bool {
        cell &- (UInt64(tag) &<< 32 | 1) < UInt64(UInt32.max)
    }

    /// Whether another entry needs a larger table.
    var isFull: Bool { (count + 1) * 4 > size * 3 }

    /// The size it would grow to.
    var nextSize: Int { size + max(size / 2, HashIndex.smallest) }

    /// Whether a table of half the size would be enough for long.
    var isSparse: Bool { size > 4 * HashIndex.smallest && count * 5 < size }

    /// The size it would shrink to.
    var sparserSize: Int { max(HashIndex.smallest, size / 2) }

    /// Bytes of a table of that size.
    static func bytes(ofSize size: Int) -> Int { HeapMemory.most(size * MemoryLayout<UInt64>.stride) }

    /// Adds a slot; there must be room (`isFull` is false).
    mutating func insert(tag: UInt32, slot: Slot) {
        var position = home(tag)
        while cells[position] != 0 { position = after(position) }
        cells[position] = HashIndex.cell(tag, slot)
        count += 1
    }

    /// Removes the cell of exactly this slot; it must be there.
    mutating func remove(tag: UInt32, slot: Slot) {
        var hole = position(tag: tag, slot: slot)
        count -= 1
        var probe = hole
        while true {
            probe = after(probe)
            let cell = cells[probe]
            if cell == 0 { break }
            let home = home(HashIndex.tag(cell))
            // The cell may fill the hole unless its home lies behind it, cyclically.
            let distance = probe >= home ? probe &- home : probe &- home &+ size
            let gap = probe >= hole ? probe &- hole : probe &- hole &+ size
            if distance >= gap {
                cells[hole] = cell
                hole = probe
            }
        }
        cells[hole] = 0
    }

    /// The entry at `old` now lives at `new`.
    mutating func relocate(tag: UInt32, from old: Slot, to new: Slot) {
        cells[position(tag: tag, slot: old)] = HashIndex.cell(tag, new)
    }

    /// Moves everything to a table of another size, which must hold it.
    mutating func resize(to newSize: Int) {
        let old = cells
        let oldSize = size
        let block = HeapMemory.allocateZeroed(newSize * MemoryLayout<UInt64>.stride)
        cells = block.assumingMemoryBound(to: UInt64.self)
        size = newSize
        bytes = HeapMemory.bytes(at: block)
        for position in 0..<oldSize where old[position] != 0 {
            let cell = old[position]
            var place = home(HashIndex.tag(cell))
            while cells[place] != 0 { place = after(place) }
            cells[place] = cell
        }
        HeapMemory.release(UnsafeMutableRawPointer(old))
    }

    private func position(tag: UInt32, slot: Slot) -> Int {
        let wanted = HashIndex.cell(tag, slot)
        var position = home(tag)
        while cells[position] != wanted { position = after(position) }
        return position
    }
}
