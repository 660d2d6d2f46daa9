public import BoundedCache
public import NIOCore

extension ByteBuffer: MemorySized {
    /// The storage with its spare capacity, in full also for a slice, which keeps all of it alive, and the object around it.
    ///
    /// By the size that was asked of the allocator, which is a power of two, so that the buffer's memory is not touched and
    /// may come from an allocator of your own; exact to a page.
    public var heapBytes: Int {
        // The buffer without capacity is one for the whole program.
        storageCapacity == 0
            ? 0 : HeapMemory.estimate(ByteBuffer.storageObjectBytes) + HeapMemory.likely(storageCapacity)
    }

    /// Capacity, address and the allocator's four functions behind an object's header.
    private static var storageObjectBytes: Int { 64 }
}
