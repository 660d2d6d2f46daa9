public import Synchronization

/// The shards of a cache with their locks, side by side in one block of memory, each in cache lines of its own.
///
/// Not objects in an array: a look-up would count references of a shared object, which costs more than the look-up.
@usableFromInline
struct ShardArray: ~Copyable, Sendable {
    // Sendable: what it points at is a mutex, and the memory lives as long as this value.
    @usableFromInline nonisolated(unsafe) let base: UnsafeMutableRawPointer
    @usableFromInline let stride: Int
    @usableFromInline let count: Int

    init(count: Int, make: (Int) -> ShardCore) {
        self.count = count
        stride = MemoryLayout<Mutex<ShardCore>>.size.aligned(to: 128)
        base = UnsafeMutableRawPointer.allocate(byteCount: stride * count, alignment: 128)
        for index in 0..<count {
            (base + index * stride).initializeMemory(as: Mutex<ShardCore>.self, to: Mutex(make(index)))
        }
    }

    deinit {
        for index in 0..<count {
            (base + index * stride).assumingMemoryBound(to: Mutex<ShardCore>.self).deinitialize(count: 1)
        }
        base.deallocate()
    }

    var bytes: Int { HeapMemory.bytes(at: base) }

    /// The shard of a hash: its upper half decides, the lower half is the tag.
    @inlinable @inline(__always)
    func shard(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: ((hash &>> 32) &* UInt64(truncatingIfNeeded: count)) &>> 32)
    }

    @inlinable @inline(__always)
    func withShard<Result: Sendable>(_ index: Int, _ body: (inout ShardCore) -> Result) -> Result {
        (base + index &* stride).assumingMemoryBound(to: Mutex<ShardCore>.self).pointee.withLock { core in
            body(&core)
        }
    }
}
