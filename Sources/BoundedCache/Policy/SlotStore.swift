/// A place in a `SlotStore`; `none` is no place.
package typealias Slot = UInt32

extension Slot {
    static let none = Slot.max
}

/// What the cache knows of an entry beside its key and value: 24 bytes.
@usableFromInline
struct SlotRecord {
    /// 32 bits of the key's hash: where it belongs in the index, and its fingerprint once it is gone.
    var tag: UInt32
    /// What the entry counts against the bound, in its unit.
    var weight: UInt32
    /// Neighbours in the queue that `queue` names; `previous` is towards the head, where entries come in.
    var previous: Slot
    var next: Slot
    /// Uses since the entry came or was last looked at by the policy, at most 3.
    @usableFromInline var frequency: UInt8
    var queue: QueueName
    /// Bits the cache keeps for itself; policies leave them alone.
    @usableFromInline var flags: UInt16
    /// A number the cache keeps for itself.
    var owned: UInt32
}

@usableFromInline
enum QueueName: UInt8 {
    /// Not in use.
    case free
    /// New entries: the small queue of S3-FIFO, the window of W-TinyLFU.
    case entrance
    /// The main queue of S3-FIFO, the probation part of W-TinyLFU.
    case main
    /// The protected part of W-TinyLFU.
    case protected
    /// Of the adaptive policy: which of its two shadows hold the entry too.
    case inNoShadow
    case inSmallShadow
    case inWindowShadow
    case inBothShadows
}

/// Slots of one size in chunks, so that a cache grows by small steps and without copying.
///
/// Each slot begins with its `SlotRecord`; the bytes behind it belong to the user of the store. Addresses stay the same
/// until a slot is freed or moved by `move`.
@usableFromInline
struct SlotStore: ~Copyable {
    /// Bytes from one slot to the next.
    @usableFromInline let stride: Int
    /// Slots per chunk, a power of two.
    @usableFromInline let shift: UInt32
    @usableFromInline let mask: UInt32
    @usableFromInline var chunks: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private var chunkLimit: Int
    private(set) var chunkCount = 0
    private(set) var liveCount = 0
    private var firstFree = Slot.none
    /// Bytes of all blocks, as the allocator counts them.
    private(set) var bytes: Int

    /// - Parameters:
    ///   - payload: bytes of each slot behind its record.
    ///   - chunkSlots: slots to add at a time, rounded up to a power of two.
    init(stride: Int, chunkSlots: Int) {
        self.stride = (stride + 7) & ~7
        shift = UInt32(max(chunkSlots, 1).roundedUpToPowerOfTwo.trailingZeroBitCount)
        mask = (1 << shift) - 1
        chunkLimit = 4
        let block = HeapMemory.allocate(chunkLimit * MemoryLayout<UnsafeMutableRawPointer>.stride)
        chunks = block.assumingMemoryBound(to: UnsafeMutableRawPointer.self)
        bytes = HeapMemory.bytes(at: block)
    }

    // Inlinable because the compiler (6.3) inlines it into the accessors that inlined code uses, and fails when it may not.
    @inlinable
    deinit { release() }

    @usableFromInline
    func release() {
        for index in 0..<chunkCount { HeapMemory.release(chunks[index]) }
        HeapMemory.release(UnsafeMutableRawPointer(chunks))
    }

    var chunkSlots: Int { 1 << Int(shift) }
    var slotCount: Int { chunkCount << Int(shift) }
    var freeCount: Int { slotCount - liveCount }

    /// What the next slot will cost on top of what is held: nothing while one is free.
    var growth: Int {
        guard firstFree == .none else { return 0 }
        let list = chunkCount < chunkLimit ? 0 : HeapMemory.most(chunkLimit * 2 * 8)
        return HeapMemory.most(chunkSlots * stride) + list
    }

    @inlinable @inline(__always)
    func address(_ slot: UInt32) -> UnsafeMutableRawPointer {
        chunks[Int(truncatingIfNeeded: slot &>> shift)]
            + Int(truncatingIfNeeded: slot & mask) &* stride
    }

    @inlinable @inline(__always)
    func record(_ slot: UInt32) -> UnsafeMutablePointer<SlotRecord> {
        address(slot).assumingMemoryBound(to: SlotRecord.self)
    }

    /// A slot to fill; adds a chunk when none is free.
    mutating func take(tag: UInt32, weight: UInt32) -> Slot {
        if firstFree == .none { addChunk() }
        let slot = firstFree
        unlinkFree(slot)
        record(slot).pointee = SlotRecord(
            tag: tag, weight: weight, previous: .none, next: .none, frequency: 0, queue: .entrance, flags: 0,
            owned: 0)
        liveCount += 1
        return slot
    }

    /// Adds a chunk when no slot is free, so that the next `take` does not allocate.
    mutating func reserve() {
        if firstFree == .none { addChunk() }
    }

    /// Gives a slot back; it must stand in no queue.
    mutating func free(_ slot: Slot) {
        liveCount -= 1
        linkFree(slot)
    }

    /// Whether so many slots are free that the last chunk's entries find room in the others, with a chunk to spare.
    @usableFromInline
    var canVacate: Bool { chunkCount > 0 && freeCount >= 2 * chunkSlots && freeCount * 4 > slotCount }

    /// The same without a chunk to spare: for a cache that has to become small now.
    @usableFromInline
    var canVacateTightly: Bool { chunkCount > 0 && freeCount >= chunkSlots }

    /// Begins to empty the last chunk: its slots in use are to be moved, one by one, then `endVacating` frees it.
    @usableFromInline
    mutating func beginVacating() -> Range<UInt32> {
        let first = Slot((chunkCount - 1) << Int(shift))
        let range = first..<(first + Slot(chunkSlots))
        for slot in range where !isUsed(slot) { unlinkFree(slot) }
        return range
    }

    @usableFromInline
    func isUsed(_ slot: UInt32) -> Bool { record(slot).pointee.queue != .free }

    /// Moves the record of an entry to a free slot; the caller moves what lies behind it and corrects who refers to it.
    @usableFromInline
    mutating func move(_ slot: UInt32) -> UInt32 {
        let place = firstFree
        unlinkFree(place)
        record(place).pointee = record(slot).pointee
        return place
    }

    @usableFromInline
    mutating func endVacating() {
        chunkCount -= 1
        let block = chunks[chunkCount]
        bytes -= HeapMemory.bytes(at: block)
        HeapMemory.release(block)
    }

    private mutating func addChunk() {
        if chunkCount == chunkLimit { growChunkList() }
        let block = HeapMemory.allocate(chunkSlots * stride)
        bytes += HeapMemory.bytes(at: block)
        chunks[chunkCount] = block
        let first = Slot(chunkCount << Int(shift))
        chunkCount += 1
        for slot in (first..<(first + Slot(chunkSlots))).reversed() {
            linkFree(slot)
        }
    }

    private mutating func growChunkList() {
        let width = MemoryLayout<UnsafeMutableRawPointer>.stride
        let block = HeapMemory.allocate(chunkLimit * 2 * width)
        block.copyMemory(from: UnsafeRawPointer(chunks), byteCount: chunkCount * width)
        bytes += HeapMemory.bytes(at: block) - HeapMemory.bytes(at: UnsafeRawPointer(chunks))
        HeapMemory.release(UnsafeMutableRawPointer(chunks))
        chunks = block.assumingMemoryBound(to: UnsafeMutableRawPointer.self)
        chunkLimit *= 2
    }

    private mutating func linkFree(_ slot: Slot) {
        record(slot).pointee.queue = .free
        record(slot).pointee.previous = .none
        record(slot).pointee.next = firstFree
        if firstFree != .none { record(firstFree).pointee.previous = slot }
        firstFree = slot
    }

    private mutating func unlinkFree(_ slot: Slot) {
        let links = record(slot).pointee
        if links.previous != .none { record(links.previous).pointee.next = links.next } else { firstFree = links.next }
        if links.next != .none { record(links.next).pointee.previous = links.previous }
    }
}

extension Int {
    /// The smallest power of two that is at least this number; 1 for numbers below 1.
    var roundedUpToPowerOfTwo: Int {
        self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
    }
}
