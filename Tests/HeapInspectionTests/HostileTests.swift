import Glibc
import HeapInspection
import OakumModel
import OakumTestKit
import Testing

/// A copy of memory, that a test may damage.
private final class FrozenMemory: MemorySource {
    var regions: [(region: MemoryRegion, bytes: [UInt8])] = []

    func read(at address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let found = regions.first(where: { $0.region.contains(address) }) else { return 0 }
        let offset = Int(address - found.region.start)
        let count = min(buffer.count, found.bytes.count - offset)
        guard count > 0 else { return 0 }
        found.bytes.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
        }
        return count
    }

    func map() throws(InspectionError) -> MemoryMap {
        try MemoryMap(regions: regions.map(\.region))
    }

    /// What a living process has, up to `limit` bytes of each mapping.
    static func copy(of identity: ProcessIdentity, limit: Int) throws -> FrozenMemory {
        let source = try RemoteMemory(identity)
        let frozen = FrozenMemory()
        guard let file = fopen("/proc/\(identity.pid)/maps", "re") else { throw TestKitError("no maps") }
        defer { fclose(file) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { text += chunk.prefix(count) }
        for region in try MemoryMap(text).regions where region.isReadable && !region.path.hasPrefix("[v") {
            var bytes = [UInt8](repeating: 0, count: min(limit, Int(region.byteCount)))
            let count = bytes.withUnsafeMutableBytes { source.read(at: region.start, into: $0) }
            guard count >= 4_096 else { continue }
            var copy = region
            copy.end = region.start + UInt64(count)
            frozen.regions.append((copy, Array(bytes.prefix(count))))
        }
        return frozen
    }

    /// The bytes of a range, as far as they lie in one region.
    func overwrite(_ range: Range<UInt64>, _ change: (inout ArraySlice<UInt8>) -> Void) {
        guard let index = regions.firstIndex(where: { $0.region.contains(range.lowerBound) }) else { return }
        let first = Int(range.lowerBound - regions[index].region.start)
        let end = min(first + range.count, regions[index].bytes.count)
        guard first < end else { return }
        change(&regions[index].bytes[first..<end])
    }

    /// Overwrites words: with random ones, with pointers into the memory, or with values that break arithmetic.
    func damage(_ generator: inout SeededGenerator, words: Int) {
        let extremes: [UInt64] = [0, 1, .max, 1 << 63, 0x7FFF_FFFF_FFFF_FFFF, 0x0000_7FFF_FFFF_FFF8, 16, 0x8000_0000]
        for _ in 0..<words {
            let index = generator.int(0...(regions.count - 1))
            guard regions[index].bytes.count >= 8 else { continue }
            let place = generator.int(0...(regions[index].bytes.count / 8 - 1)) * 8
            let target = regions[generator.int(0...(regions.count - 1))].region
            let word: UInt64
            switch generator.int(0...3) {
            case 0: word = generator.next()
            case 1: word = (target.start + UInt64.random(in: 0..<target.byteCount, using: &generator)) & ~7
            case 2: word = extremes[generator.int(0...(extremes.count - 1))]
            default:
                word = regions[index].bytes.withUnsafeBytes {
                    $0.loadUnaligned(fromByteOffset: place, as: UInt64.self) ^ 1
                        << UInt64.random(in: 0..<64, using: &generator)
                }
            }
            withUnsafeBytes(of: word) { regions[index].bytes.replaceSubrange(place..<(place + 8), with: $0) }
        }
    }
}

@Suite(.timeLimit(.minutes(10)))
struct `Hostile memory` {
    private static func region(_ start: UInt64, _ count: Int, _ rights: String, _ path: String) -> MemoryRegion {
        MemoryRegion(
            start: start, end: start + UInt64(count), isReadable: true, isWritable: rights.contains("w"),
            isExecutable: rights.contains("x"), isShared: false, offset: 0, inode: path.isEmpty ? 0 : 1, path: path)
    }

    /// Random memory that points into itself, below an ELF header that makes a module of its first part.
    @Test func `random memory gives chains that end`() async throws {
        try await forAll(seeds: 1_000) { generator in
            let memory = FrozenMemory()
            let base: UInt64 = 0x5555_0000_0000
            for (index, path) in ["/program", "", "[heap]"].enumerated() {
                let start = base + UInt64(index) * 0x10_0000
                let region = Self.region(start, 16_384, "rwx", path)
                var bytes: [UInt8] = []
                while bytes.count < 16_384 {
                    let kinds: [UInt64] = [0, 0x200, 0x400, 0x500, 0x502, 3, 16, 0x80]
                    let pointer =
                        (base + UInt64(generator.int(0...2)) * 0x10_0000 + UInt64(generator.int(0...16_383))) & ~7
                    let word = [generator.next(), pointer, pointer, kinds[generator.int(0...7)]][generator.int(0...3)]
                    withUnsafeBytes(of: word) { bytes += $0 }
                }
                memory.regions.append((region, bytes))
            }
            memory.regions[0].bytes.replaceSubrange(0..<ElfBytes.small.count, with: ElfBytes.small)
            try Self.inspect(memory, &generator)
        }
    }

    @Test func `damaged copies of a real program's memory give chains that end`() async throws {
        let programs = try await LeakPrograms.built()
        let pristine = try await RunningLeak.with(programs.swiftStatic, "generic-store") {
            try FrozenMemory.copy(of: $0.identity, limit: 3 << 20)
        }
        let inspector = ProcessInspector(memory: pristine, map: try pristine.map())
        let blocks = inspector.objects(named: "[UInt8]", limit: 400)
        #expect(blocks.count >= 300)
        let targets = blocks.prefix(300).map { BlockTarget(address: $0) }
        try await forAll(seeds: 60) { generator in
            let memory = FrozenMemory()
            memory.regions = pristine.regions
            memory.damage(&generator, words: [20, 2_000, 40_000][generator.int(0...2)])
            let inspector = ProcessInspector(memory: memory, map: try memory.map())
            for target in targets { _ = inspector.type(at: target.address) }
            let report = inspector.holders(
                of: Array(targets.shuffled(using: &generator).prefix(8)), deadline: .now + .seconds(5))
            #expect(report.chains.count == 8)
            for chain in report.chains { #expect(!chain.words.isEmpty && chain.path.count <= chain.hops.count + 3) }
        }
    }

    @Test func `a damaged object has its name, another that can be shown, or none`() async throws {
        let pristine = try await RunningLeak.with(builtExecutable("fixture-cache"), "fill") {
            try FrozenMemory.copy(of: $0.identity, limit: 3 << 20)
        }
        let inspector = ProcessInspector(memory: pristine, map: try pristine.map())
        let caches = inspector.objects(named: "BoundedCache<UInt64, [UInt8]>", limit: 8)
        let found = caches.filter { inspector.name(at: $0)?.name == "sessions of instance 3" }
        let cache = try #require(found.first, "\(caches.map { inspector.name(at: $0) as Any })")
        var others = 0
        try await forAll(seeds: 2_000) { generator in
            let memory = FrozenMemory()
            memory.regions = pristine.regions
            memory.overwrite(cache..<(cache + 512)) { bytes in
                for _ in 0..<generator.int(1...40) {
                    let place = bytes.startIndex + generator.int(0...(bytes.count - 1))
                    bytes[place] = generator.chance(0.5) ? UInt8(generator.int(0...255)) : bytes[place] ^ 0xF0
                }
            }
            let name = ProcessInspector(memory: memory, map: try memory.map()).name(at: cache)
            if name?.name != "sessions of instance 3" { others += 1 }
            guard let name else { return }
            #expect(name.noun == "cache" && !name.name.isEmpty && name.name.count <= 120)
            #expect(name.name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
            #expect(name.boundBytes.map { $0 > 0 } ?? true)
        }
        #expect(others > 100, "the damage is seen")
    }

    private static func inspect(_ memory: FrozenMemory, _ generator: inout SeededGenerator) throws {
        let inspector = ProcessInspector(memory: memory, map: try memory.map())
        var targets: [BlockTarget] = []
        for region in memory.regions {
            for offset in stride(from: 0, to: 16_384, by: 16) {
                _ = inspector.type(at: region.region.start + UInt64(offset), bytes: 64)
            }
            let place = UInt64(generator.int(0...1_000)) * 16
            targets.append(BlockTarget(address: region.region.start + place, bytes: generator.chance(0.5) ? 64 : nil))
        }
        targets.append(BlockTarget(address: .max, bytes: .max))
        targets.append(BlockTarget(address: 0, bytes: 0))
        let report = inspector.holders(of: targets, deadline: .now + .seconds(5))
        #expect(report.chains.count == targets.count)
        for chain in report.chains { #expect(!chain.words.isEmpty) }
    }
}

/// ELF images for tests.
enum ElfBytes {
    /// A header with one segment of 64 KiB, readable, writable and executable.
    static let small: [UInt8] = {
        var bytes: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + [UInt8](repeating: 0, count: 9)
        func add<T: FixedWidthInteger>(_ value: T) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
        add(UInt16(3)); add(UInt16(62)); add(UInt32(1)); add(UInt64(0)); add(UInt64(64)); add(UInt64(0))
        add(UInt32(0)); add(UInt16(64)); add(UInt16(56)); add(UInt16(1)); add(UInt16(0)); add(UInt16(0)); add(UInt16(0))
        add(UInt32(1)); add(UInt32(7)); add(UInt64(0)); add(UInt64(0)); add(UInt64(0)); add(UInt64(65_536))
        add(UInt64(65_536)); add(UInt64(4_096))
        return bytes
    }()
}
