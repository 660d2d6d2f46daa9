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
    @inlinable static var coreOffset: Int { 8 }

    init(count: Int, make: (Int) -> ShardCore) {
        self.count = count
        let stride = max(128, ShardArray.coreOffset + MemoryLayout<ShardCore>.size).roundedUpToPowerOfTwo
        strideShift = stride.trailingZeroBitCount
        base = UnsafeMutableRawPointer.allocate(byteCount: stride * count, alignment: 128)
        for index in 0..<count {
            let place = base + (index << strideShift)
            place.initializeMemory(as: ShardLock.self, to: ShardLock())
            (place + ShardArray.coreOffset).initializeMemory(as: ShardCore.self, to: make(index))
        }
    }

    deinit {
        for index in 0..<count {
            let place = base + (index << strideShift)
            (place + ShardArray.coreOffset).assumingMemoryBound(to: ShardCore.self).deinitialize(count: 1)
            place.assumingMemoryBound(to: ShardLock.self).deinitialize(count: 1)
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
        let lock = place.assumingMemoryBound(to: ShardLock.self)
        lock.pointee.lock()
        defer { lock.pointee.unlock() }
        return body(&(place + ShardArray.coreOffset).assumingMemoryBound(to: ShardCore.self).pointee)
    }
}
