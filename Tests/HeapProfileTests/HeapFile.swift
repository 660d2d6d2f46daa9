/// Writes heap files as docs/heap-format.md describes them: valid ones, to be read back or damaged.
///
/// Independent of the reader: it knows the format from the document, not from the code under test.
struct HeapFile {
    struct Module {
        var bias: UInt64 = 0
        var low: UInt64
        var high: UInt64
        var buildID: [UInt8] = []
        var path: String
        var loaded: UInt64 = 1
        var unloaded: UInt64 = 0
    }

    struct Stack {
        var frames: [UInt64]
        var quality: UInt32 = 1
        var firstSeen: UInt64 = 2
    }

    struct Record {
        var address: UInt64
        var size: UInt64
        var weight: UInt64
        var birth: UInt64
        var thread: UInt32 = 1
        var stack: UInt32
    }

    struct Lifetimes {
        var size: UInt64
        /// Bucket, count, weight.
        var buckets: [(Int, UInt64, UInt64)]
    }

    var version: UInt32 = 1
    var state: UInt32 = 1
    var stopReason: UInt32 = 0
    var mode: UInt32 = 1
    var flags: UInt32 = 0
    var mean: UInt64 = 1000
    var pid: UInt32 = 42
    var startTicks: UInt64 = 4242
    var since: UInt64 = 1_000_000_000
    var bytesInUse: Int64 = 123_456
    var counters: [UInt64] = Array(1...12)
    var samplerVersion = "1.0"
    var executable = "/srv/app/server"
    var modules: [Module] = []
    /// Index 0 of the file is the unknown stack; these follow.
    var stacks: [Stack] = []
    var records: [Record] = []
    /// By index of the stack in the file.
    var lifetimes: [Int: Lifetimes] = [:]

    static let seed: UInt64 = 0x4F41_4B55_4D48_4550

    static func check(_ words: [UInt64]) -> UInt64 {
        words.reduce(seed) { sum, word in
            let product = (sum ^ word) &* 0x9E37_79B9_7F4A_7C15
            return product ^ (product >> 32)
        }
    }

    func bytes() -> [UInt8] {
        let frames = stacks.flatMap(\.frames)
        let tables: [(count: Int, size: Int)] = [
            (modules.count, 512), (stacks.count + 1, 64), (frames.count, 8), (stacks.count + 1, 1088),
            (records.count, 64),
        ]
        var offset = 4096
        var places: [Int] = []
        for table in tables {
            places.append(offset)
            // Room for two entries more than are used.
            offset += ((table.count + 2) * table.size + 4095) / 4096 * 4096
        }
        var bytes = [UInt8](repeating: 0, count: offset)
        writeHeader(&bytes)
        for (index, table) in tables.enumerated() {
            let fields = [UInt64(places[index]), UInt64(table.count + 2), UInt64(table.size), UInt64(table.count)]
            for (field, value) in fields.enumerated() { bytes.put(value, 96 + index * 32 + field * 8) }
        }
        for (index, module) in modules.enumerated() { write(module, &bytes, places[0] + index * 512) }
        var first = 0
        for (index, stack) in stacks.enumerated() {
            write(stack, first: first, &bytes, places[1] + (index + 1) * 64)
            for frame in stack.frames {
                bytes.put(frame, places[2] + first * 8)
                first += 1
            }
        }
        for (index, entry) in lifetimes { write(entry, &bytes, places[3] + index * 1088) }
        for (index, record) in records.enumerated() { write(record, &bytes, places[4] + index * 64) }
        return bytes
    }

    private func writeHeader(_ bytes: inout [UInt8]) {
        bytes.put(0x3150_4145_484B_414F, 0)
        bytes.put(UInt64(version) | 4096 << 32, 8)
        bytes.put(UInt64(bytes.count), 16)
        bytes.put(UInt64(state) | UInt64(stopReason) << 32, 24)
        bytes.put(UInt64(mode) | UInt64(flags) << 32, 32)
        bytes.put(mean, 40)
        bytes.put(UInt64(pid) | 1 << 32, 48)
        bytes.put(startTicks, 56)
        bytes.put(100 | 4096 << 32, 64)
        bytes.put(since, 72)
        bytes.put(UInt64(bitPattern: bytesInUse), 80)
        bytes.put(65536, 88)
        for (index, counter) in counters.enumerated() { bytes.put(counter, 256 + index * 8) }
        bytes.put(Array(samplerVersion.utf8), 384)
        bytes.put(Array(executable.utf8), 416)
    }

    private func write(_ module: Module, _ bytes: inout [UInt8], _ at: Int) {
        bytes.put(module.unloaded, at + 8)
        for (index, word) in [module.loaded, module.bias, module.low, module.high].enumerated() {
            bytes.put(word, at + 16 + index * 8)
        }
        bytes.put(UInt32(module.buildID.count), at + 48)
        bytes.put(module.buildID, at + 52)
        bytes.put(Array(module.path.utf8), at + 72)
        bytes.put(Self.check((0..<62).map { bytes.word(at + 16 + $0 * 8) }), at)
    }

    private func write(_ stack: Stack, first: Int, _ bytes: inout [UInt8], _ at: Int) {
        let words = [
            Self.check(stack.frames), UInt64(first), UInt64(stack.frames.count) | UInt64(stack.quality) << 32,
            stack.firstSeen,
        ]
        for (index, word) in words.enumerated() { bytes.put(word, at + 8 + index * 8) }
        bytes.put(Self.check(words), at)
    }

    private func write(_ lifetimes: Lifetimes, _ bytes: inout [UInt8], _ at: Int) {
        bytes.put(lifetimes.buckets.reduce(0) { $0 + $1.1 }, at)
        bytes.put(lifetimes.size, at + 8)
        bytes.put(lifetimes.buckets.reduce(0) { $0 + $1.2 }, at + 16)
        for (bucket, count, weight) in lifetimes.buckets {
            bytes.put(count, at + 64 + bucket * 8)
            bytes.put(weight, at + 576 + bucket * 8)
        }
    }

    private func write(_ record: Record, _ bytes: inout [UInt8], _ at: Int) {
        let words: [UInt64] = [
            4 | 2, record.address, record.size, record.weight, record.birth,
            UInt64(record.thread) | UInt64(record.stack) << 32,
        ]
        bytes.put(words[0], at)
        bytes.put(Self.check(words), at + 8)
        for (index, word) in words.dropFirst().enumerated() { bytes.put(word, at + 16 + index * 8) }
    }
}

extension [UInt8] {
    mutating func put(_ value: some FixedWidthInteger, _ offset: Int) {
        for index in 0..<(value.bitWidth / 8) {
            self[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8))
        }
    }

    mutating func put(_ values: [UInt8], _ offset: Int) {
        replaceSubrange(offset..<offset + values.count, with: values)
    }

    func word(_ offset: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(self[offset + $1]) << (UInt64($1) * 8) }
    }
}
