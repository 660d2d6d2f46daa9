import CLinux
import Glibc
import OakumModel

/// Which pages of a range are in memory, so that a scan neither touches nor brings in the others.
protocol PageResidency {
    /// Ranges with memory behind them, in order, within the asked range; nil when it cannot be told.
    func resident(_ range: Range<UInt64>) -> [Range<UInt64>]?
}

/// `/proc/PID/pagemap` (kernel documentation, admin-guide/mm/pagemap.rst).
final class PageMap: PageResidency {
    private let descriptor: Int32
    /// Pages that are swapped out: not read, because reading would bring them in.
    private(set) var swappedPages = 0

    init(pid: Int32) {
        descriptor = open("/proc/\(pid)/pagemap", O_RDONLY | O_CLOEXEC)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    func resident(_ range: Range<UInt64>) -> [Range<UInt64>]? {
        guard descriptor >= 0 else { return nil }
        var result: [Range<UInt64>] = []
        var words = [UInt64](repeating: 0, count: 8_192)
        var page = range.lowerBound / 4_096
        let last = (range.upperBound + 4_095) / 4_096
        while page < last {
            let wanted = Int(min(UInt64(words.count), last - page))
            let count = words.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, wanted * 8, off_t(page * 8)) }
            guard count >= 8 else { return result.isEmpty ? nil : result }
            for index in 0..<(count / 8) {
                let word = words[index]
                if word >> 62 & 1 == 1 { swappedPages += 1 }
                guard word >> 63 == 1 else { continue }
                let low = max(range.lowerBound, (page + UInt64(index)) * 4_096)
                let high = min(range.upperBound, (page + UInt64(index) + 1) * 4_096)
                if let end = result.last?.upperBound, end == low {
                    result[result.count - 1] = (result.last?.lowerBound ?? low)..<high
                } else {
                    result.append(low..<high)
                }
            }
            page += UInt64(count / 8)
        }
        return result
    }
}

/// A word in memory that points into one of the wanted blocks.
struct Reference: Hashable {
    /// Where the word stands.
    var location: UInt64
    /// Index of the block.
    var block: Int
    /// How far into the block it points.
    var offset: UInt64
    /// Bits beside the address are set: a Swift enum or string keeps its case there.
    var isTagged: Bool
}

/// Ranges of addresses to look for, with a quick test that most words fail.
struct WantedBlocks {
    private let starts: [UInt64]
    private let ends: [UInt64]
    private let indices: [Int]
    private let low: UInt64
    private let span: UInt64
    /// One bit for each hash of a page that a block touches.
    private let filter: [UInt64]
    private static let filterBits = 20

    /// - Parameter blocks: not overlapping.
    init(_ blocks: [(range: Range<UInt64>, index: Int)]) {
        let sorted = blocks.sorted { $0.range.lowerBound < $1.range.lowerBound }
        starts = sorted.map(\.range.lowerBound)
        ends = sorted.map(\.range.upperBound)
        indices = sorted.map(\.index)
        low = starts.first ?? 0
        span = (ends.max() ?? 0) - low
        var filter = [UInt64](repeating: 0, count: 1 << (Self.filterBits - 6))
        for block in sorted {
            // A block that is larger than the filter can tell fills it: correct, only slower.
            let pages = block.range.lowerBound >> 12...(block.range.upperBound - 1) >> 12
            guard pages.count < 1 << Self.filterBits else {
                filter = [UInt64](repeating: .max, count: filter.count)
                break
            }
            for page in pages {
                let bit = Self.hash(page)
                filter[Int(bit >> 6)] |= 1 << (bit & 63)
            }
        }
        self.filter = filter
    }

    private static func hash(_ page: UInt64) -> UInt64 {
        (page ^ page >> 20) & (1 << filterBits - 1)
    }

    /// Looks at every aligned word of a buffer that was read from `address`.
    func find(in buffer: UnsafeRawBufferPointer, at address: UInt64, _ found: (Reference) -> Void) {
        guard span > 0, let base = buffer.baseAddress else { return }
        let words = base.assumingMemoryBound(to: UInt64.self)
        let (low, span) = (low, span)
        filter.withUnsafeBufferPointer { filter in
            var index = 0
            let count = buffer.count / 8
            while index < count {
                let word = words[index]
                let value = word & 0x00FF_FFFF_FFFF_FFFF
                if value &- low < span {
                    let bit = Self.hash(value >> 12)
                    if filter[Int(bit >> 6)] >> (bit & 63) & 1 == 1, let hit = block(of: value) {
                        found(
                            Reference(
                                location: address + UInt64(index * 8), block: indices[hit], offset: value - starts[hit],
                                isTagged: word != value))
                    }
                }
                index += 1
            }
        }
    }

    private func block(of address: UInt64) -> Int? {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 && address < ends[low - 1] ? low - 1 : nil
    }
}

/// Reads the memory of a plan from end to end, a window at a time.
struct MemoryScan {
    static let windowBytes = 1 << 20
    var source: any MemorySource
    var residency: (any PageResidency)?

    /// - Parameters:
    ///   - isOver: asked before each window; true ends the scan.
    ///   - body: gets a window, the address it was read from, and its stretch.
    /// - Returns: bytes read, and whether the scan came to its end.
    func run(
        _ plan: ScanPlan, isOver: () -> Bool,
        _ body: (UnsafeRawBufferPointer, UInt64, ScanPlan.Stretch) -> Void
    ) -> (bytes: UInt64, isComplete: Bool) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.windowBytes, alignment: 4_096)
        defer { buffer.deallocate() }
        var total: UInt64 = 0
        for stretch in plan.stretches {
            for range in residency?.resident(stretch.range) ?? [stretch.range] {
                var position = range.lowerBound & ~7
                while position < range.upperBound {
                    if isOver() { return (total, false) }
                    let wanted = Int(min(UInt64(Self.windowBytes), range.upperBound - position))
                    let count = source.read(
                        at: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
                    if count >= 8 { body(UnsafeRawBufferPointer(rebasing: buffer[..<count]), position, stretch) }
                    total += UInt64(max(0, count))
                    // Unmapped meanwhile: the rest of this range is skipped page by page.
                    position =
                        count == wanted
                        ? position + UInt64(wanted) : (position + UInt64(max(0, count)) + 4_096) & ~4_095
                }
            }
        }
        return (total, true)
    }
}
