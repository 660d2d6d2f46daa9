/// Where blocks of glibc's allocator begin: found by walking its chunks, each of which tells its size (malloc.c,
/// "malloc_chunk"). Keeps one chunk start for each 4 KiB, so that the block around any address is a short walk away.
///
/// A walk checks itself: a size that cannot be ends it, and what lies behind is then not indexed. Nothing breaks when
/// the program has another allocator; the index is then empty.
struct BlockIndex {
    /// Chunk starts (16 bytes in front of the memory the program got, 8 of them its own), rising.
    private(set) var starts: [UInt64] = []
    /// End of the walk that each start belongs to.
    private var ends: [UInt64] = []
    private var walk: Walk?
    static let startLimit = 8 << 20
    static let granule: UInt64 = 4_096
    private static let heapBytes: UInt64 = 64 << 20

    private struct Walk {
        var next: UInt64
        var end: UInt64
        var lastGranule: UInt64 = .max
    }

    /// A block as the program sees it.
    struct Block: Hashable {
        var start: UInt64
        var end: UInt64
    }

    /// Begins with a new stretch of memory. Windows of it then come in the order of their addresses.
    mutating func begin(_ stretch: ScanPlan.Stretch, _ memory: CheckedMemory) {
        walk = nil
        guard stretch.territory == .heap, let region = memory.map.region(of: stretch.range.lowerBound) else { return }
        let start = stretch.range.lowerBound
        let end = stretch.range.upperBound
        if region.path == "[heap]" || Self.isMapped(start, end, memory) {
            walk = Walk(next: start, end: end)
        } else if start % Self.heapBytes == 0, let (first, end) = Self.arena(start, end, memory) {
            walk = Walk(next: first, end: end)
        }
    }

    /// Looks at the chunk heads in a window.
    mutating func pass(_ window: UnsafeRawBufferPointer, at address: UInt64) {
        guard var walk else { return }
        defer { self.walk = walk.next < walk.end ? walk : nil }
        let end = address + UInt64(window.count)
        while walk.next + 16 <= end, walk.next < walk.end {
            guard walk.next >= address else {
                walk.next = walk.end  // Its head was in a page that is not there.
                return
            }
            let offset = Int(walk.next - address)
            let size = window.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            guard let bytes = Self.chunkBytes(size, walk.next, walk.end), starts.count < Self.startLimit else {
                walk.end = walk.next
                return
            }
            let granule = walk.next / Self.granule
            if granule != walk.lastGranule {
                starts.append(walk.next)
                ends.append(walk.end)
                walk.lastGranule = granule
            }
            walk.next += bytes
        }
    }

    /// The block around an address; nil when it is not known or lies between blocks.
    func block(around address: UInt64, _ memory: CheckedMemory) -> Block? {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] + 16 <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0, address < ends[low - 1] else { return nil }
        var next = starts[low - 1]
        for _ in 0..<1_024 {
            guard let word = memory.word(at: next &+ 8), let bytes = Self.chunkBytes(word, next, ends[low - 1]) else {
                return nil
            }
            // A chunk's memory reaches over the first word of the next one, but for those that have their own mapping.
            let end = word & 2 != 0 ? next + bytes : next + bytes + 8
            if address < end { return address >= next + 16 ? Block(start: next + 16, end: end) : nil }
            next += bytes
        }
        return nil
    }

    private static func chunkBytes(_ word: UInt64, _ address: UInt64, _ end: UInt64) -> UInt64? {
        let bytes = word & ~7
        guard bytes >= 32, bytes % 16 == 0, bytes <= end - address else { return nil }
        return bytes
    }

    /// A chunk with a mapping of its own stands at the mapping's start: size in whole pages, second lowest bit set.
    private static func isMapped(_ start: UInt64, _ end: UInt64, _ memory: CheckedMemory) -> Bool {
        guard let previous = memory.word(at: start), previous == 0, let size = memory.word(at: start &+ 8) else {
            return false
        }
        return size & 7 == 2 && (size & ~7) % 4_096 == 0 && size & ~7 >= 4_096 && size & ~7 <= end - start
    }

    /// The first chunk and the end of a heap of a secondary arena: `heap_info`, then perhaps the arena, then chunks.
    private static func arena(_ start: UInt64, _ end: UInt64, _ memory: CheckedMemory) -> (UInt64, UInt64)? {
        guard let arena = memory.word(at: start), let size = memory.word(at: start &+ 16), size % 4_096 == 0,
            size >= 4_096, size <= heapBytes, start + size <= end, arena % 8 == 0, arena > 4_096
        else { return nil }
        let isFirst = arena > start && arena < start + 256
        // The sizes of both structures differ between versions: the right place is where a walk goes well.
        let candidates =
            isFirst
            ? Array(stride(from: arena + 0x700, to: arena + 0xC00, by: 8)) : [0x20, 0x30, 0x40].map { start + $0 }
        for candidate in candidates where candidate % 16 == 0 {
            if goesWell(candidate, start + size, memory) { return (candidate, start + size) }
        }
        return nil
    }

    private static func goesWell(_ first: UInt64, _ end: UInt64, _ memory: CheckedMemory) -> Bool {
        var next = first
        for step in 0..<64 where next < end {
            guard let word = memory.word(at: next &+ 8), let bytes = chunkBytes(word, next, end),
                step > 0 || word & 5 == 5
            else { return false }
            next += bytes
        }
        return true
    }
}
