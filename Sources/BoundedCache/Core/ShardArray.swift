public import CLinux
public import Synchronization

/// What stands before a shard: its lock, and where its index lies, for those who are about to take the lock.
@usableFromInline
struct ShardGate: ~Copyable, Sendable {
    @usableFromInline let lock = ShardLock()
    /// May be out of date: only good for telling the processor what will be read soon.
    @usableFromInline let cells = Atomic<UInt>(0)
    @usableFromInline let size = Atomic<UInt>(0)

    init() {}
}

/// The shards of a cache with their locks, side by side in one block of memory, each in cache lines of its own.
///
/// Not objects in an array: a look-up would count references of a shared object, which costs more than the look-up.
@usableFromInline
struct ShardArray: ~Copyable, Sendable {
    // Sendable: `withShard` is the only way to what it points at, and takes the lock; the memory lives as long as this.
    @usableFromInline nonisolated(unsafe) let base: UnsafeMutableRawPointer
    /// Bytes from one shard to the next are two to this power: a shift is quicker than a product.
    @usableFromInline let strideShift: Int
    /// A power of two.
    @usableFromInline let count: Int

    /// The lock comes first, the shard behind it.
    @inlinable static var coreOffset: Int { 32 }

    init(count: Int, make: (Int) -> ShardCore) {
        self.count = count
        let stride = max(128, ShardArray.coreOffset + MemoryLayout<ShardCore>.size).roundedUpToPowerOfTwo
        strideShift = stride.trailingZeroBitCount
        base = UnsafeMutableRawPointer.allocate(byteCount: stride * count, alignment: 128)
        for index in 0..<count {
            let place = base + (index << strideShift)
            place.initializeMemory(as: ShardGate.self, to: ShardGate())
            (place + ShardArray.coreOffset).initializeMemory(as: ShardCore.self, to: make(index))
        }
    }

    deinit {
        for index in 0..<count {
            let place = base + (index << strideShift)
            (place + ShardArray.coreOffset).assumingMemoryBound(to: ShardCore.self).deinitialize(count: 1)
            place.assumingMemoryBound(to: ShardGate.self).deinitialize(count: 1)
        }
        base.deallocate()
    }

    var bytes: Int { HeapMemory.bytes(at: base) }

    /// The shard of a hash: its upper half decides, the lower half is the tag.
    @inlinable @inline(__always)
    func shard(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash &>> 32) & (count &- 1)
    }

    @inlinable @inline(__always)
    func withShard<Result: Sendable>(_ index: Int, _ body: (inout ShardCore) -> Result) -> Result {
        let place = base + (index &<< strideShift)
        let gate = place.assumingMemoryBound(to: ShardGate.self)
        let core = (place + ShardArray.coreOffset).assumingMemoryBound(to: ShardCore.self)
        gate.pointee.lock.lock()
        defer {
            let cells = UInt(bitPattern: core.pointee.index.cells)
            if gate.pointee.cells.load(ordering: .relaxed) != cells {
                gate.pointee.cells.store(cells, ordering: .relaxed)
                gate.pointee.size.store(UInt(bitPattern: core.pointee.index.size), ordering: .relaxed)
            }
            gate.pointee.lock.unlock()
        }
        return body(&core.pointee)
    }

    /// What stands before the shard of a hash. For look-ups, which leave the index as it is: everybody else uses `withShard`.
    @inlinable @inline(__always)
    func gate(_ hash: UInt64) -> UnsafeMutablePointer<ShardGate> {
        (base + (shard(of: hash) &<< strideShift)).assumingMemoryBound(to: ShardGate.self)
    }

    /// The shard behind a gate, to be touched only while its lock is held.
    @inlinable @inline(__always)
    func core(behind gate: UnsafeMutablePointer<ShardGate>) -> UnsafeMutablePointer<ShardCore> {
        (UnsafeMutableRawPointer(gate) + ShardArray.coreOffset).assumingMemoryBound(to: ShardCore.self)
    }
}

/// Where a tag's cell of the index was when somebody looked without the lock.
@usableFromInline
struct HomeGuess {
    @usableFromInline let cells: UInt
    @usableFromInline let size: UInt
    @usableFromInline let position: Int

    /// Makes the processor fetch the cell, and works out where it is, while the lock is taken, which takes as long as a miss
    /// of the first cache.
    @inlinable @inline(__always)
    init(_ tag: UInt32, at gate: borrowing ShardGate) {
        cells = gate.cells.load(ordering: .relaxed)
        size = gate.size.load(ordering: .relaxed)
        let home = (UInt(tag) &* size) &>> 32
        position = Int(bitPattern: home)
        linux_prefetch(UnsafeRawPointer(bitPattern: cells &+ home &* 8))
    }

    /// The tag's home now that the lock is held.
    @inlinable @inline(__always)
    func home(_ tag: UInt32, in core: borrowing ShardCore) -> Int {
        if UInt(bitPattern: core.index.cells) == cells, UInt(bitPattern: core.index.size) == size { return position }
        return newHome(tag, size: core.index.size)
    }

    // A call, so that the processor guesses that it is not needed instead of waiting for its result.
    @usableFromInline @inline(never)
    func newHome(_ tag: UInt32, size: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(tag) &* UInt64(truncatingIfNeeded: size)) >> 32)
    }
}
