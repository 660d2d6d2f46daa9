internal import CLinux
internal import Glibc

/// What blocks of the C heap really cost.
///
/// glibc hands out chunks of a multiple of 16 bytes: 8 bytes of header and the block, which may use the first 8 bytes of
/// the next chunk's header. A chunk that is mapped by itself has a header of 16 bytes and ends on a page. Rounding
/// `malloc_usable_size + 8` up to 16 is the size of the chunk in both cases, the figure that `mallinfo2` adds up.
package enum HeapMemory {
    /// Bytes the allocator gave up for the block at `address`, which `malloc` or one of its kin returned.
    @inline(__always)
    package static func bytes(at address: UnsafeRawPointer) -> Int {
        (malloc_usable_size(UnsafeMutableRawPointer(mutating: address)) + 8 + 15) & ~15
    }

    /// Bytes a request of `size` bytes will cost, for blocks below the size that is mapped by itself.
    @inline(__always)
    package static func estimate(_ size: Int) -> Int {
        max(32, (size + 8 + 15) & ~15)
    }

    /// Bytes a request of `size` bytes most probably costs, whatever its size.
    package static func likely(_ size: Int) -> Int {
        size < 128 * 1_024 ? estimate(size) : most(size)
    }

    /// The most a request of `size` bytes can cost: a chunk may get a rest too small to be a chunk of its own, and large
    /// ones are mapped in whole pages.
    static func most(_ size: Int) -> Int {
        size < 128 * 1_024 ? estimate(size) + 16 : (size + 32 + 4_095) & ~4_095
    }

    /// Memory for `size` bytes, with the alignment of `malloc` (16).
    ///
    /// Traps when the machine has none left, as every allocation in Swift does.
    static func allocate(_ size: Int) -> UnsafeMutableRawPointer {
        guard let block = malloc(size) else { fatalError("out of memory: \(size) bytes for a cache") }
        return block
    }

    /// The same, filled with zeros.
    static func allocateZeroed(_ size: Int) -> UnsafeMutableRawPointer {
        guard let block = calloc(1, size) else { fatalError("out of memory: \(size) bytes for a cache") }
        return block
    }

    static func release(_ block: UnsafeMutableRawPointer) {
        free(block)
    }
}
