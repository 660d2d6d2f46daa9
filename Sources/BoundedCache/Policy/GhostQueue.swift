/// Remembers the hashes of what was evicted lately, first in, first out, in about 6 bytes each.
///
/// Buckets of one cache line hold 16 fingerprints of 16 bits, each with the generation it came in; a generation is a
/// hundredth or so of the capacity. How many of each generation are left is counted, and when more than the capacity are
/// left the oldest generation is forgotten, so that what was found again makes room for others. Places exceed the capacity
/// by half; an insertion that finds its bucket full takes the oldest's place. One look-up in about 4,000 finds a key that
/// never was there; the price is one entry that enters the wrong queue.
struct GhostQueue: ~Copyable {
    private static let places = 16
    private static let generationsPerCapacity = 128
    /// At most so many capacities of insertions are remembered, however few of them are left.
    private static let longestMemory = 4
    private static let period = 65_535

    /// Nil while it remembers nothing at all.
    private var cells: UnsafeMutablePointer<UInt32>?
    /// How many of each generation are left, round and round.
    private var counts: UnsafeMutablePointer<UInt32>?
    private var bucketCount = 0
    /// How many hashes are remembered.
    private(set) var capacity = 0
    private var generationSize = 1
    private var generationLimit = 1
    private var newest = 0
    private var oldest = 0
    private var insertedInNewest = 0
    private var live = 0
    private(set) var bytes = 0

    /// Remembers nothing and costs nothing, until `reset`.
    init() {}

    deinit {
        if let cells { HeapMemory.release(UnsafeMutableRawPointer(cells)) }
        if let counts { HeapMemory.release(UnsafeMutableRawPointer(counts)) }
    }

    /// Forgets everything, and remembers so many from now on. The old memory is given back before the new is taken.
    mutating func reset(capacity wanted: Int) {
        if let cells { HeapMemory.release(UnsafeMutableRawPointer(cells)) }
        if let counts { HeapMemory.release(UnsafeMutableRawPointer(counts)) }
        capacity = max(wanted, 1)
        bucketCount = GhostQueue.buckets(capacity: capacity)
        generationSize = max(1, capacity / GhostQueue.generationsPerCapacity)
        generationLimit = (capacity / generationSize + 1) * GhostQueue.longestMemory
        newest = 0
        oldest = 0
        insertedInNewest = 0
        live = 0
        let width = MemoryLayout<UInt32>.stride
        let cellBlock = HeapMemory.allocateZeroed(bucketCount * GhostQueue.places * width)
        let countBlock = HeapMemory.allocateZeroed(generationLimit * width)
        cells = cellBlock.assumingMemoryBound(to: UInt32.self)
        counts = countBlock.assumingMemoryBound(to: UInt32.self)
        bytes = HeapMemory.bytes(at: cellBlock) + HeapMemory.bytes(at: countBlock)
    }

    /// Bytes a queue of that capacity would hold.
    static func bytes(capacity: Int) -> Int {
        HeapMemory.most(buckets(capacity: max(capacity, 1)) * places * 4)
            + HeapMemory.most((generationsPerCapacity * 2 + 1) * longestMemory * 4)
    }

    private static func buckets(capacity: Int) -> Int { (capacity * 3 / 2 + places - 1) / places }

    mutating func insert(_ tag: UInt32) {
        guard let bucket = bucket(of: tag) else { return }
        beginGenerationIfNeeded()
        var place = 0
        var greatest = -1
        for index in 0..<GhostQueue.places {
            let age = age(of: bucket[index])
            if age > greatest {
                greatest = age
                place = index
            }
        }
        discard(bucket[place])
        bucket[place] = UInt32(newest % GhostQueue.period + 1) << 16 | tag & 0xFFFF
        counts?[newest % generationLimit] += 1
        live += 1
        while live > capacity { forgetOldestGeneration() }
    }

    /// Whether the hash was evicted lately; if so it is forgotten.
    mutating func remove(_ tag: UInt32) -> Bool {
        guard let bucket = bucket(of: tag) else { return false }
        let wanted = tag & 0xFFFF
        for index in 0..<GhostQueue.places {
            let cell = bucket[index]
            guard cell & 0xFFFF == wanted, cell != 0, age(of: cell) <= newest - oldest else { continue }
            discard(cell)
            bucket[index] = 0
            return true
        }
        return false
    }

    private mutating func beginGenerationIfNeeded() {
        if insertedInNewest == generationSize {
            newest += 1
            insertedInNewest = 0
            if newest - oldest == generationLimit { forgetOldestGeneration() }
        }
        insertedInNewest += 1
    }

    private mutating func forgetOldestGeneration() {
        guard let counts else { return }
        live -= Int(counts[oldest % generationLimit])
        counts[oldest % generationLimit] = 0
        if oldest < newest { oldest += 1 }
    }

    /// Takes a cell out of the books, unless it was forgotten before.
    private mutating func discard(_ cell: UInt32) {
        guard cell != 0, let counts else { return }
        let age = age(of: cell)
        guard age <= newest - oldest, counts[(newest - age) % generationLimit] > 0 else { return }
        counts[(newest - age) % generationLimit] -= 1
        live -= 1
    }

    /// In generations; a free place is older than everything.
    private func age(of cell: UInt32) -> Int {
        guard cell != 0 else { return Int.max }
        let age = newest % GhostQueue.period + 1 - Int(cell >> 16)
        return age < 0 ? age + GhostQueue.period : age
    }

    /// The bits that choose the bucket are the upper ones, the fingerprint the lower ones.
    private func bucket(of tag: UInt32) -> UnsafeMutablePointer<UInt32>? {
        guard let cells else { return nil }
        return cells + Int((UInt64(tag) &* UInt64(bucketCount)) >> 32) * GhostQueue.places
    }
}
