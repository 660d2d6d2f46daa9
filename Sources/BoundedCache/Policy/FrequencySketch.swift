/// Counts how often hashes were seen lately, approximately, in 8 bytes per entry: a count-min sketch of 4-bit counters.
///
/// All four counters of a hash lie in one cache line. After ten times as many additions as entries every counter is
/// halved, so that the past fades (Einziger, Friedman and Manes, "TinyLFU", 2017).
struct FrequencySketch: ~Copyable {
    private var words: UnsafeMutablePointer<UInt64>
    private var blockMask: UInt32
    private var period: Int
    private var additions = 0
    private(set) var bytes: Int

    /// - Parameter entries: about how many entries the cache holds.
    init(entries: Int) {
        let wordCount = max(8, entries.roundedUpToPowerOfTwo)
        blockMask = UInt32(wordCount / 8 - 1)
        period = 10 * max(entries, 8)
        let block = HeapMemory.allocateZeroed(wordCount * MemoryLayout<UInt64>.stride)
        words = block.assumingMemoryBound(to: UInt64.self)
        bytes = HeapMemory.bytes(at: block)
    }

    deinit { HeapMemory.release(UnsafeMutableRawPointer(words)) }

    static func bytes(entries: Int) -> Int {
        HeapMemory.most(max(8, entries.roundedUpToPowerOfTwo) * MemoryLayout<UInt64>.stride)
    }

    /// Counts for so many entries from now on, at least as many as before; what it knows stays known.
    ///
    /// The larger table has every block of the smaller one as often as it is larger: a hash that reads more bits of its
    /// block number finds the counters it left.
    mutating func grow(entries: Int) {
        let wordCount = max(8, entries.roundedUpToPowerOfTwo)
        let known = (Int(blockMask) + 1) * 8
        period = 10 * max(entries, 8)
        guard wordCount > known else { return }
        let block = HeapMemory.allocate(wordCount * MemoryLayout<UInt64>.stride)
        let larger = block.assumingMemoryBound(to: UInt64.self)
        for start in stride(from: 0, to: wordCount, by: known) { (larger + start).update(from: words, count: known) }
        HeapMemory.release(UnsafeMutableRawPointer(words))
        words = larger
        blockMask = UInt32(wordCount / 8 - 1)
        bytes = HeapMemory.bytes(at: block)
    }

    /// Counts for fewer entries from now on. Blocks that fall together keep the larger counters: the sketch never says
    /// less than before.
    mutating func shrink(entries: Int) {
        let wordCount = max(8, entries.roundedUpToPowerOfTwo)
        let known = (Int(blockMask) + 1) * 8
        period = 10 * max(entries, 8)
        guard wordCount < known else { return }
        let block = HeapMemory.allocateZeroed(wordCount * MemoryLayout<UInt64>.stride)
        let smaller = block.assumingMemoryBound(to: UInt64.self)
        for index in 0..<known {
            let place = index & (wordCount - 1)
            smaller[place] = FrequencySketch.largerCounters(smaller[place], words[index])
        }
        HeapMemory.release(UnsafeMutableRawPointer(words))
        words = smaller
        blockMask = UInt32(wordCount / 8 - 1)
        bytes = HeapMemory.bytes(at: block)
    }

    private static func largerCounters(_ left: UInt64, _ right: UInt64) -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 4) {
            result |= max(left >> shift & 15, right >> shift & 15) << shift
        }
        return result
    }

    /// 0 to 15.
    func frequency(_ tag: UInt32) -> Int {
        var least = UInt64(15)
        let spread = FrequencySketch.spread(tag)
        let block = words + Int(UInt32(truncatingIfNeeded: spread >> 32) & blockMask) * 8
        for row in 0..<4 {
            let bits = Int(truncatingIfNeeded: spread >> UInt64(row * 8))
            let word = block[row * 2 + (bits & 1)]
            least = min(least, (word >> UInt64(((bits >> 1) & 15) * 4)) & 15)
        }
        return Int(least)
    }

    mutating func add(_ tag: UInt32) {
        let spread = FrequencySketch.spread(tag)
        let block = words + Int(UInt32(truncatingIfNeeded: spread >> 32) & blockMask) * 8
        var added = false
        for row in 0..<4 {
            let bits = Int(truncatingIfNeeded: spread >> UInt64(row * 8))
            let word = row * 2 + (bits & 1)
            let shift = UInt64(((bits >> 1) & 15) * 4)
            if (block[word] >> shift) & 15 < 15 {
                block[word] += 1 << shift
                added = true
            }
        }
        if added {
            additions += 1
            if additions >= period { halve() }
        }
    }

    private mutating func halve() {
        for index in 0..<(Int(blockMask) + 1) * 8 {
            words[index] = (words[index] >> 1) & 0x7777_7777_7777_7777
        }
        additions /= 2
    }

    private static func spread(_ tag: UInt32) -> UInt64 {
        var mixed = UInt64(tag) &* 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 32)) &* 0xD6E8_FEB8_6659_FD93
        return mixed ^ (mixed >> 32)
    }
}
