import HeapProfile
import OakumModel
import OakumTestKit
import Synchronization
import Testing

#if DEBUG
    private let inputsPerSeed = 20
#else
    private let inputsPerSeed = 1000
#endif

/// Hostile files: an error or an image that holds what it promises, and never a trap.
///
/// 120 seeds; each damages one random valid file 20 times in debug builds (2,400 inputs), 1,000 times in release builds
/// (120,000 inputs). Half of the damaged entries get their check words right again, as a forger would do it. What was read
/// goes through profile, table, JSON shape and exports too.
@Suite(.timeLimit(.minutes(10)))
struct HeapImageFuzzTests {
    @Test func `no damage stops the program or breaks a promise`() async throws {
        let accepted = Mutex(0)
        try await forAll(seeds: 120) { generator in
            let valid = Self.file(&generator).bytes()
            for _ in 0..<inputsPerSeed {
                var bytes = Self.damaged(valid, &generator)
                if generator.chance(0.5) { Self.forgeChecks(&bytes) }
                do throws(HeapImageError) {
                    let image = try HeapImage.parse(bytes)
                    accepted.withLock { $0 += 1 }
                    Self.checkPromises(image, fileBytes: bytes.count)
                    if generator.chance(0.1) { Self.useUp(image) }
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
        let share = Double(accepted.withLock { $0 }) / Double(120 * inputsPerSeed)
        print("damaged heap files: \(120 * inputsPerSeed), of which \(Int(share * 100)) % were read to the end")
        // Both ways must be tried often. (A single seed, chosen by hand, may have any share.)
        #expect(share > 0.2 && share < 0.9 || share * 120 <= 1)
    }

    @Test func `random bytes are no heap file`() async throws {
        try await forAll(seeds: 200) { generator in
            let bytes = generator.bytes(generator.int(0...9000))
            #expect(throws: HeapImageError.self) { try HeapImage.parse(bytes) }
        }
    }

    private static func file(_ generator: inout SeededGenerator) -> HeapFile {
        var file = HeapFile()
        if generator.chance(0.2) { (file.mode, file.mean) = (2, 0) }
        for index in 0..<generator.int(0...4) {
            let low = UInt64(index + 1) << 24
            file.modules.append(
                .init(low: low, high: low + 4096, buildID: generator.bytes(20), path: "/lib/lib\(index).so"))
        }
        for _ in 0..<generator.int(0...8) {
            let frames = (0..<generator.int(0...64)).map { _ in UInt64(generator.int(1...6)) << 24 + 64 }
            file.stacks.append(.init(frames: frames, quality: UInt32(generator.int(1...3))))
        }
        for index in 0..<generator.int(0...20) {
            let size = UInt64(generator.int(0...4000))
            let weight = file.mode == 2 ? size : max(size, 1) + UInt64(generator.int(0...999))
            file.records.append(
                .init(
                    address: UInt64(index + 1) << 12, size: size, weight: weight,
                    birth: UInt64(generator.int(1...1_000_000_000_000)), stack: UInt32(generator.int(0...9))))
        }
        for index in 0...file.stacks.count where generator.chance(0.6) {
            let buckets = (0..<generator.int(1...5)).map { _ in (generator.int(0...63), UInt64(3), UInt64(4000)) }
            file.lifetimes[index] = .init(size: 99, buckets: buckets)
        }
        return file
    }

    /// Bits, bytes, whole words with values that hurt, words copied elsewhere, and cut ends.
    private static func damaged(_ valid: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = valid
        let sore: [UInt64] = [
            0, 1, 2, .max, .max >> 1, 1 << 63, 1 << 32, 4096, 4095, UInt64(valid.count), UInt64(valid.count) - 1,
            1 << 57, 1 << 40, 64, 65, 1088,
        ]
        for _ in 0..<generator.int(1...6) {
            // Mostly where something is: the header's fields, or the beginning of a table's page.
            let page = generator.int(0...(bytes.count / 4096 - 1)) * 4096
            let limit = min(bytes.count - 8, page + (generator.chance(0.7) ? 600 : 4088))
            let position = generator.chance(0.3) ? generator.int(8...280) : generator.int(page...max(page, limit))
            switch generator.int(0...5) {
            case 0: bytes[position] ^= 1 << UInt8(generator.int(0...7))
            case 1: bytes[position] = UInt8(generator.int(0...255))
            case 2, 3: bytes.put(generator.pick(sore) ?? 0, position / 8 * 8)
            case 4:
                let source = generator.int(0...(bytes.count / 8 - 1)) * 8
                bytes.put(bytes.word(source), position / 8 * 8)
            default:
                if generator.chance(0.1) { bytes.removeLast(generator.int(1...min(5000, bytes.count - 4096))) }
            }
            if bytes.count < 4096 { break }
        }
        // Mostly the size is believed, so that more than the first check is tried.
        if bytes.count >= 4096, generator.chance(0.9) { bytes.put(UInt64(bytes.count), 16) }
        return bytes
    }

    private static func forgeChecks(_ bytes: inout [UInt8]) {
        guard bytes.count >= 4096 else { return }
        func entries(_ table: Int, _ size: Int) -> [Int] {
            let (offset, used) = (bytes.word(96 + table * 32), bytes.word(96 + table * 32 + 24))
            guard offset <= UInt64(bytes.count), used < 4096 else { return [] }
            return (0..<Int(used)).map { Int(offset) + $0 * size }.filter { $0 + size <= bytes.count }
        }
        for entry in entries(0, 512) {
            bytes.put(HeapFile.check((0..<62).map { bytes.word(entry + 16 + $0 * 8) }), entry)
        }
        for entry in entries(1, 64) {
            let (first, count) = (bytes.word(entry + 16), bytes.word(entry + 24) & 0xFFFF_FFFF)
            let frames = bytes.word(160)
            if first < 4096, count <= 64, frames <= UInt64(bytes.count) {
                let start = Int(frames) + Int(first) * 8
                if start + Int(count) * 8 <= bytes.count {
                    bytes.put(HeapFile.check((0..<Int(count)).map { bytes.word(start + $0 * 8) }), entry + 8)
                }
            }
            bytes.put(HeapFile.check([8, 16, 24, 32].map { bytes.word(entry + $0) }), entry)
        }
        for entry in entries(4, 64) {
            bytes.put(HeapFile.check([0, 16, 24, 32, 40, 48].map { bytes.word(entry + $0) }), entry + 8)
        }
    }

    private static func checkPromises(_ image: HeapImage, fileBytes: Int) {
        #expect(image.live.allSatisfy { image.stacks.indices.contains($0.stack) })
        #expect(image.freed.allSatisfy { image.stacks.indices.contains($0.stack) })
        #expect(image.stacks.allSatisfy { $0.addresses.count <= 64 })
        #expect(image.stacks.reduce(0) { $0 + $1.addresses.count } * 8 <= fileBytes)
        #expect(image.live.allSatisfy { $0.weight.isFinite && $0.weight >= Double($0.size) })
        #expect(image.modules.allSatisfy { $0.buildID.count <= 20 && $0.path.utf8.count <= 3 * 440 })
        #expect(image.observed.seconds.isFinite)
    }

    /// Whatever a file says, the figures made of it are numbers.
    private static func useUp(_ image: HeapImage) {
        let profile = HeapProfile(image)
        for site in profile.sites {
            let figures = [site.live.bytes, site.live.blocks] + (site.survival.map { [$0.neverFreed, $0.tail] } ?? [])
            for figure in figures {
                #expect(figure.low.isFinite && figure.high.isFinite && figure.estimate.isFinite)
                #expect(figure.low <= figure.estimate && figure.estimate <= figure.high)
            }
        }
        let report = HeapReport(profile, growth: HeapGrowth(from: profile, to: profile))
        #expect(report.sites.count <= 100)
        #expect(!profile.table().isEmpty)
        #expect(!profile.pprof().isEmpty)
        #expect(profile.foldedStacks().utf8.allSatisfy { $0 >= 0x20 || $0 == 0x0A })
        #expect(profile.flameGraph(comparedTo: profile).bytes.isFinite)
    }
}
