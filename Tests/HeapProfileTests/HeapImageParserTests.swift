import HeapProfile
import OakumModel
import OakumTestKit
import Testing

struct HeapImageParserTests {
    static var example: HeapFile {
        var file = HeapFile()
        file.modules = [
            .init(bias: 0x1000, low: 0x40_0000, high: 0x50_0000, buildID: [1, 2, 0xFE], path: "/srv/app/server"),
            .init(low: 0x60_0000, high: 0x70_0000, path: "/lib/libc.so.6", loaded: 5, unloaded: 9),
        ]
        file.stacks = [
            .init(frames: [0x40_1000, 0x40_2000]), .init(frames: [0x60_1000], quality: 3, firstSeen: 7),
            .init(frames: (0..<64).map { 0x40_3000 + $0 }, quality: 2),
        ]
        file.records = [
            .init(address: 0x7F00_0000_1000, size: 48, weight: 1024, birth: 2_000_000_000, thread: 43, stack: 1),
            .init(address: 0x7F00_0000_2000, size: 5000, weight: 5034, birth: 3_000_000_000, stack: 2),
            .init(address: 0x7F00_0000_3000, size: 0, weight: 1000, birth: 1_500_000_000, stack: 99),
        ]
        file.lifetimes = [
            1: .init(size: 96, buckets: [(0, 1, 1024), (20, 2, 2100)]), 3: .init(size: 9, buckets: [(63, 1, 9)]),
        ]
        return file
    }

    @Test func `a file is read as it was written`() throws {
        let image = try HeapImage.parse(Self.example.bytes(), readAt: Uptime(seconds: 60))
        #expect(image.process.identity == ProcessIdentity(pid: 42, startTicks: 4242))
        #expect(image.process.executable == "/srv/app/server")
        #expect(image.process.samplerVersion == "1.0")
        #expect(image.process.samplingSince == Uptime(seconds: 1))
        #expect(image.mode == .sampled && image.meanBytes == 1000 && image.state == .running)
        #expect(image.bytesInUse == 123_456 && image.bytesInUseErrorPerThread == 65536)
        #expect(image.counters.samples == 1 && image.counters.inheritedLost == 11)
        #expect(image.observed == Uptime(seconds: 60))
        #expect(image.skipped == SkippedRecords())
        #expect(
            image.modules == [
                LoadedModule(
                    loadBias: 0x1000, addresses: 0x40_0000..<0x50_0000, buildID: [1, 2, 0xFE], path: "/srv/app/server",
                    loadedNanoseconds: 1),
                LoadedModule(
                    loadBias: 0, addresses: 0x60_0000..<0x70_0000, path: "/lib/libc.so.6", loadedNanoseconds: 5,
                    unloadedNanoseconds: 9),
            ])
        #expect(image.stacks.map(\.quality) == [.missing, .complete, .endedEarly, .cutAtLimit])
        #expect(image.stacks[1].addresses == [0x40_1000, 0x40_2000])
        #expect(image.stacks[2].firstSeenNanoseconds == 7)
        #expect(image.stacks[3].addresses.count == 64)
        #expect(image.live.map(\.stack) == [1, 2, 0], "a stack beyond the table is the unknown one")
        #expect(
            image.live[0]
                == AllocationRecord(
                    address: 0x7F00_0000_1000, size: 48, weight: 1024, bornNanoseconds: 2_000_000_000, thread: 43,
                    stack: 1))
        #expect(
            image.freed == [
                FreedLifetimes(
                    stack: 1, count: 3, bytes: 96,
                    buckets: [
                        LifetimeBucket(index: 0, count: 1, weight: 1024),
                        LifetimeBucket(index: 20, count: 2, weight: 2100),
                    ]),
                FreedLifetimes(stack: 3, count: 1, bytes: 9, buckets: [LifetimeBucket(index: 63, count: 1, weight: 9)]),
            ])
    }

    @Test func `a process that is gone is seen as of its last sign of life`() throws {
        let image = try HeapImage.parse(Self.example.bytes())
        #expect(image.observed == Uptime(seconds: 3))
    }

    @Test func `modes, states and blind spots are told`() throws {
        var file = Self.example
        (file.mode, file.mean, file.state, file.stopReason, file.flags) = (2, 0, 2, 1, 0b1111)
        file.records = [.init(address: 16, size: 7, weight: 7, birth: 1, stack: 1)]
        let image = try HeapImage.parse(file.bytes())
        #expect(image.mode == .exact && image.meanBytes == 1)
        #expect(image.state == .stopped(reason: "the process exited"))
        #expect(image.bytesInUse == nil, "not counted is not zero")
        #expect(image.process.blindSpots == Set(BlindSpot.allCases))
        #expect(image.live.count == 1)
    }

    @Test func `what is no heap file is refused with the reason`() throws {
        let good = Self.example.bytes()
        func refusal(_ change: (inout [UInt8]) -> Void) -> HeapImageError? {
            var bytes = good
            change(&bytes)
            return #expect(throws: HeapImageError.self) { try HeapImage.parse(bytes) }
        }
        #expect(refusal { $0 = [] } == .tooShort(bytes: 0))
        #expect(refusal { $0 = Array($0.prefix(4095)) } == .tooShort(bytes: 4095))
        #expect(refusal { $0[0] = 0 } == .notAHeapFile)
        #expect(refusal { $0[8] = 2 } == .otherVersion(found: 2, known: 1))
        #expect(refusal { $0[12] = 1 } == .badHeader(field: "header_bytes", value: 4097))
        #expect(refusal { $0.removeLast() } == .wrongSize(headerSays: UInt64(good.count), is: good.count - 1))
        #expect(refusal { $0[24] = 0 } == .notReadyYet)
        #expect(refusal { $0[24] = 9 } == .badHeader(field: "state", value: 9))
        #expect(refusal { $0[32] = 3 } == .badHeader(field: "mode", value: 3))
        #expect(refusal { $0.put(UInt64(0), 40) } == .badHeader(field: "mean_bytes", value: 0))
        #expect(refusal { $0.put(UInt32(0), 48) } == .badHeader(field: "pid", value: 0))
    }

    @Test(arguments: [
        (0, UInt64(4097), "cannot begin at 4097"), (0, 0, "cannot begin at 0"),
        (0, 1 << 40, "cannot begin at 1099511627776"),
        (8, 1 << 60, "with 1152921504606846976 entries does not fit into the file"),
        (8, 1000, "with 1000 entries does not fit into the file"), (16, 63, "has entries of 63 bytes instead of 64"),
    ])
    func `a table that does not lie within the file is refused`(field: Int, value: UInt64, problem: String) {
        var bytes = Self.example.bytes()
        bytes.put(value, 224 + field)
        #expect(throws: HeapImageError.badTable(name: "records", problem: problem)) { try HeapImage.parse(bytes) }
    }

    @Test func `tables that overlap are refused`() throws {
        var bytes = Self.example.bytes()
        bytes.put(bytes.word(224), 128)
        let error = #expect(throws: HeapImageError.self) { try HeapImage.parse(bytes) }
        #expect(error?.description.contains("overlaps the table of") == true)
    }

    @Test func `entries beyond the capacity are not read`() throws {
        var bytes = Self.example.bytes()
        bytes.put(UInt64.max, 224 + 24)
        #expect(try HeapImage.parse(bytes).live.count == 3)
    }

    @Test func `torn and impossible records are skipped and counted`() throws {
        var file = Self.example
        file.records += [
            .init(address: 1, size: 5000, weight: 4999, birth: 1, stack: 1),
            .init(address: 1, size: 48, weight: 1050, birth: 1, stack: 1),
            .init(address: 1, size: 1 << 57, weight: 1 << 57, birth: 1, stack: 1),
        ]
        var bytes = file.bytes()
        let records = Int(bytes.word(224))
        bytes[records] = 4 | 1
        bytes[records + 64 + 24] ^= 1
        let image = try HeapImage.parse(bytes)
        #expect(image.skipped.torn == 2 && image.skipped.invalid == 3)
        #expect(image.live.map(\.address) == [0x7F00_0000_3000])
    }

    @Test func `a damaged stack leaves its blocks to the unknown one`() throws {
        var bytes = Self.example.bytes()
        bytes[Int(bytes.word(128)) + 64 + 24] = 9
        bytes[Int(bytes.word(160)) + 2 * 8] ^= 1
        let image = try HeapImage.parse(bytes)
        #expect(image.skipped.stacks == 2)
        #expect(image.stacks.map(\.addresses.count) == [0, 0, 0, 64])
        #expect(image.live.count == 3)
    }

    @Test func `stacks that share frames take no more memory than the file has`() throws {
        var file = Self.example
        file.stacks += Array(repeating: .init(frames: []), count: 1000)
        var bytes = file.bytes()
        let table = Int(bytes.word(128))
        let whole = Array(bytes[table + 3 * 64..<table + 4 * 64])
        for index in 4..<1004 { bytes.put(whole, table + index * 64) }
        let image = try HeapImage.parse(bytes)
        #expect(image.stacks.count == 1004 && image.skipped.stacks == 1000)
    }

    @Test func `damaged modules and lifetimes are skipped and counted`() throws {
        var bytes = Self.example.bytes()
        bytes[Int(bytes.word(96)) + 100] ^= 1
        bytes.put(UInt64.max, Int(bytes.word(192)) + 1088 + 64)
        let image = try HeapImage.parse(bytes)
        #expect(image.skipped.modules == 1 && image.modules.map(\.name) == ["libc.so.6"])
        #expect(image.skipped.lifetimes == 1 && image.freed.map(\.stack) == [3])
    }

    @Test func `the parts in use are enough to read a file`() throws {
        let bytes = Self.example.bytes()
        let ranges = try HeapImage.rangesInUse(header: Array(bytes.prefix(4096)), fileBytes: bytes.count)
        var copy = [UInt8](repeating: 0, count: bytes.count)
        for range in ranges { copy.replaceSubrange(range, with: bytes[range]) }
        #expect(try HeapImage.parse(copy) == HeapImage.parse(bytes))
        #expect(ranges.reduce(0) { $0 + $1.count } < 12_000)
        #expect(throws: HeapImageError.self) { try HeapImage.rangesInUse(header: bytes, fileBytes: 4095) }
        #expect(throws: HeapImageError.self) {
            try HeapImage.rangesInUse(header: Array(bytes.prefix(100)), fileBytes: bytes.count)
        }
    }

    @Test func `texts of the process cannot steer a terminal`() throws {
        var file = Self.example
        file.executable = "/srv/\u{1B}[2J\nx"
        #expect(try HeapImage.parse(file.bytes()).process.executable == "/srv/?[2J?x")
    }
}
