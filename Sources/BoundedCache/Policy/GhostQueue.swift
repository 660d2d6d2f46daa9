/// Remembers the hashes of what was evicted lately, first in, first out, in 4 bytes a place.
///
/// Buckets of one cache line hold 16 fingerprints of 16 bits, each with the time it came, counted in insertions. What is
/// older than the capacity counts as forgotten; an insertion takes the place of the oldest in its bucket. Places exceed
/// the capacity by half, so that hardly anything is forgotten early (S3-FIFO paper, section 4.2, has the same idea). One
/// look-up in about 4,000 finds a key that never was there; the price is one entry that enters the wrong queue.
struct GhostQueue: ~Copyable {
    private static let places = 16

    /// Nil while it remembers nothing at all.
    private var cells: UnsafeMutablePointer<UInt32>?
    private let bucketCount: Int
    /// How many insertions are remembered.
    let capacity: Int
    /// Insertions per step of the 16-bit time.
    private let pace: Int
    private var insertions: Int
    let bytes: Int

    /// Remembers nothing and costs nothing.
    init() {
        bucketCount = 0
        capacity = 0
        pace = 1
        insertions = 0
        bytes = 0
    }

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        bucketCount = (self.capacity * 3 / 2 + GhostQueue.places - 1) / GhostQueue.places
        pace = 1 + self.capacity / 16_384
        // A time of 0 marks a free place.
        insertions = pace
        let block = HeapMemory.allocateZeroed(bucketCount * GhostQueue.places * MemoryLayout<UInt32>.stride)
        cells = block.assumingMemoryBound(to: UInt32.self)
        bytes = HeapMemory.bytes(at: block)
    }

    deinit { if let cells { HeapMemory.release(UnsafeMutableRawPointer(cells)) } }

    /// Bytes a queue of that capacity would hold.
    static func bytes(capacity: Int) -> Int {
        HeapMemory.estimate((max(capacity, 1) * 3 / 2 + places - 1) / places * places * MemoryLayout<UInt32>.stride)
    }

    mutating func insert(_ tag: UInt32) {
        guard let bucket = bucket(of: tag) else { return }
        insertions += 1
        let now = time
        var place = 0
        var oldest = -1
        for index in 0..<GhostQueue.places {
            let cell = bucket[index]
            let age = cell == 0 ? Int.max : age(of: cell, at: now)
            if age > oldest {
                oldest = age
                place = index
            }
        }
        bucket[place] = UInt32(now) << 16 | fingerprint(tag)
    }

    /// Whether the hash was evicted lately; if so it is forgotten.
    mutating func remove(_ tag: UInt32) -> Bool {
        guard let bucket = bucket(of: tag) else { return false }
        let wanted = fingerprint(tag)
        let now = time
        for index in 0..<GhostQueue.places {
            let cell = bucket[index]
            guard cell & 0xFFFF == wanted, cell != 0, age(of: cell, at: now) * pace <= capacity else { continue }
            bucket[index] = 0
            return true
        }
        return false
    }

    /// 1 to 65,535, round and round.
    private var time: Int { (insertions / pace) % 65_535 + 1 }

    private func age(of cell: UInt32, at now: Int) -> Int {
        let age = now - Int(cell >> 16)
        return age < 0 ? age + 65_535 : age
    }

    private func bucket(of tag: UInt32) -> UnsafeMutablePointer<UInt32>? {
        guard let cells else { return nil }
        return cells + Int((UInt64(tag) &* UInt64(bucketCount)) >> 32) * GhostQueue.places
    }

    /// The bits that chose the bucket are the upper ones.
    private func fingerprint(_ tag: UInt32) -> UInt32 { tag & 0xFFFF }
}
