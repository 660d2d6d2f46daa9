import HeapProfile
import OakumModel
import OakumTestKit
import Testing

struct HeapBaseTests {
    private static let later: [(UInt64, UInt64, Double, Int)] = [(0x1000, 600, 110, 1), (0x7000, 900, 210, 1)]

    @Test func `what is kept is read back as it was`() throws {
        let base = try HeapBase(ExampleHeap.image(ExampleHeap.blocks))
        let bytes = base.encoded()
        #expect(bytes.count == 72 + 40 * ExampleHeap.blocks.count)
        #expect(try HeapBase(parsing: bytes) == base)
    }

    @Test func `with the names of a later image it is the earlier one, and growth is what came less what went`() throws
    {
        let base = try HeapBase(parsing: HeapBase(ExampleHeap.image(ExampleHeap.blocks, observed: 200)).encoded())
        let image = ExampleHeap.image(Self.later, observed: 500)
        let now = HeapProfile(image, frames: ExampleHeap.frames)
        let before = HeapProfile(try #require(base.image(before: image)), frames: ExampleHeap.frames)
        #expect(before.total.bytes.estimate == 1_460)
        let growth = HeapGrowth(from: before, to: now)
        #expect(growth.total.estimate == 40 && growth.seconds == 300)
        #expect(growth.sites.first?.label.hasPrefix("App.Registry.remember") == true)
        #expect(growth.sites.first?.bytes.estimate == 500)
        #expect(now.flameGraph(comparedTo: before).growthBytes == 40)
    }

    @Test func `another process, another program in it, or an earlier image has no use for it`() throws {
        let base = try HeapBase(ExampleHeap.image(ExampleHeap.blocks, observed: 200))
        #expect(base.image(before: ExampleHeap.image(Self.later, pid: 43)) == nil)
        #expect(base.image(before: ExampleHeap.image(Self.later, observed: 199)) == nil)
        var program = ExampleHeap.image(Self.later)
        program.process.samplingSince = Uptime(seconds: 150)
        #expect(base.image(before: program) == nil)
        var rate = ExampleHeap.image(Self.later)
        rate.meanBytes = 4_096
        #expect(base.image(before: rate) == nil)
    }

    @Test func `a stack that the later image lacks is the unknown one`() throws {
        let base = try HeapBase(ExampleHeap.image(ExampleHeap.blocks))
        var image = ExampleHeap.image(Self.later, observed: 300)
        image.stacks = Array(image.stacks.prefix(2))
        let earlier = try #require(base.image(before: image))
        #expect(earlier.live.map(\.stack) == [1, 0, 1, 0, 0, 0])
    }

    @Test func `too many blocks are not kept, and that is said`() {
        var image = ExampleHeap.image(ExampleHeap.blocks)
        image.live = Array(repeating: image.live[0], count: HeapBase.blockLimit + 1)
        #expect(throws: HeapBaseError.tooManyBlocks(HeapBase.blockLimit + 1)) { try HeapBase(image) }
    }

    /// 400 seeds of 25 inputs; a third of them has its check made right again, as a forger would do it.
    @Test func `no damage stops the program, and what is read is possible`() async throws {
        try await forAll(seeds: 400) { generator in
            let base = try HeapBase(Self.image(&generator))
            let valid = base.encoded()
            #expect(try HeapBase(parsing: valid) == base)
            for _ in 0..<25 {
                var bytes = generator.chance(0.1) ? generator.bytes(generator.int(0...300)) : generator.damaged(valid)
                if generator.chance(0.3) { Self.forgeCheck(&bytes) }
                do throws(HeapBaseError) {
                    let read = try HeapBase(parsing: bytes)
                    #expect(bytes.count == 72 + 40 * read.live.count)
                    for record in read.live {
                        #expect(record.weight.isFinite && record.weight >= Double(record.size) && record.stack >= 0)
                    }
                    if let earlier = read.image(before: Self.image(&generator)) {
                        _ = HeapProfile(earlier).flameGraph()
                    }
                    #expect(read.encoded() == bytes || bytes[36..<40] != [0, 0, 0, 0])
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }

    private static func image(_ generator: inout SeededGenerator) -> HeapImage {
        let blocks = (0..<generator.int(0...30)).map { index in
            (
                UInt64(index + 1) << 12, UInt64(generator.int(0...90_000)), generator.double(100..<200),
                generator.int(0...4)
            )
        }
        return ExampleHeap.image(blocks)
    }

    private static func forgeCheck(_ bytes: inout [UInt8]) {
        guard bytes.count >= 72 else { return }
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325 ^ bytes[12..<16].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        for byte in bytes[24...] { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for index in 0..<8 { bytes[16 + index] = UInt8(truncatingIfNeeded: sum >> UInt64(8 * index)) }
    }
}

struct BaseKeepingTests {
    @Test func `the first is taken at about a minute, further ones an hour apart`() {
        let started = Uptime(seconds: 1_000)
        func takes(_ bases: [Double], at age: Double) -> Bool {
            BaseKeeping(bases: bases.map { started + $0 }, started: started, now: started + age).takesOne
        }
        #expect(!takes([], at: 54))
        #expect(takes([], at: 55))
        #expect(!takes([60], at: 3_600))
        #expect(takes([60], at: 3_661))
        #expect(takes([], at: 90_000), "one that was running before anything was kept")
    }

    /// A look around about once a minute, which sometimes fails and sometimes pauses for hours, over three days.
    @Test func `there is always one between one and two hours old, or the first`() async throws {
        try await forAll(seeds: 100) { generator in
            let started = Uptime(seconds: generator.double(0..<1e6))
            var (now, bases, lastGap) = (started, [Uptime](), started)
            while now - started < 3 * 86_400 {
                let gap = generator.chance(0.0005) ? generator.double(3_600..<30_000) : generator.double(55..<65)
                if gap > 3_600 { lastGap = now + gap }
                now = now + gap
                let keeping = BaseKeeping(bases: bases.shuffled(using: &generator), started: started, now: now)
                bases.removeAll(where: keeping.dropped.contains)
                if keeping.takesOne { bases.append(now) }
                #expect(bases.count <= BaseKeeping.kept + 1)
                guard let base = BaseKeeping.base(of: bases, now: now) else {
                    #expect(now - started < BaseKeeping.firstAge)
                    continue
                }
                // After a pause of hours it takes two rounds to catch up.
                guard now - lastGap > 2.2 * 3_600 || lastGap == started else { continue }
                let first = now - started < 3_600 + 200
                #expect(first ? base == bases.first : (3_600...7_400).contains(now - base), "\(now - base) s old")
            }
        }
    }

    @Test func `what another boot of the machine left goes`() {
        let keeping = BaseKeeping(
            bases: [Uptime(seconds: 9_000), Uptime(seconds: 50)], started: Uptime(seconds: 1), now: Uptime(seconds: 100)
        )
        #expect(keeping.dropped == [Uptime(seconds: 9_000)])
        #expect(!keeping.takesOne)
        #expect(BaseKeeping.base(of: [Uptime(seconds: 9_000)], now: Uptime(seconds: 100)) == nil)
    }
}

struct FlameRowTests {
    @Test func `the tree as a list has callers first, and every figure`() {
        let root = ExampleHeap.profile.flameGraph()
        let (rows, leftOut) = root.rows(limit: 100)
        #expect(leftOut == 0)
        #expect(rows.map(\.function).prefix(3) == ["all", "main", root.children[0].children[0].function])
        #expect(rows.map(\.parent).prefix(3) == [nil, 0, 1])
        #expect(rows[0].bytes == 1_460 && rows.reduce(0) { $0 + $1.ownBytes } == 1_460)
    }

    @Test func `the smallest are left out, never a caller of one that stays`() async throws {
        try await forAll(seeds: 200) { generator in
            let root = Self.tree(&generator, bytes: 1e6, depth: 0)
            let count = root.rows(limit: .max).rows.count
            let limit = generator.int(1...60)
            let (rows, leftOut) = root.rows(limit: limit)
            #expect(rows.count == min(limit, count) && leftOut == count - rows.count)
            #expect(rows.first?.parent == nil && rows.dropFirst().allSatisfy { $0.parent != nil })
            #expect(rows.enumerated().allSatisfy { ($1.parent ?? -1) < $0 })
        }
    }

    @Test func `a stack of five hundred calls does not need the program's own stack`() {
        var node = FlameNode(
            function: "last", place: nil, role: .own, bytes: 1, ownBytes: 1, growthBytes: nil, children: [])
        for _ in 0..<500 {
            node = FlameNode(
                function: "f", place: nil, role: .own, bytes: 1, ownBytes: 0, growthBytes: nil, children: [node])
        }
        #expect(node.rows(limit: 1_000).rows.last?.function == "last")
    }

    private static func tree(_ generator: inout SeededGenerator, bytes: Double, depth: Int) -> FlameNode {
        var left = bytes
        var children: [FlameNode] = []
        while depth < 6, children.count < 4, generator.chance(0.7) {
            let part = generator.double(0..<1) * left
            left -= part
            children.append(tree(&generator, bytes: part, depth: depth + 1))
        }
        let growth = generator.double(-1..<1) * bytes
        return FlameNode(
            function: "f\(depth)", place: nil, role: .own, bytes: bytes, ownBytes: left,
            growthBytes: children.isEmpty ? growth : children.reduce(0) { $0 + ($1.growthBytes ?? 0) },
            children: children)
    }
}
