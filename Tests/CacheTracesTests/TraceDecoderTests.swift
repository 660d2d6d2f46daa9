import CacheTraces
import OakumTestKit
import Testing

@Suite struct TraceDecoderTests {
    @Test func `an ARC line stands for a run of blocks`() throws {
        #expect(try decode(.arc, "10 3 0 1\n7 1 0 2\n") == keys(10, 11, 12, 7))
    }

    @Test func `marks and empty lines of a LIRS trace are no accesses`() throws {
        #expect(try decode(.lirs, "*\n\n5\r\n9\n*\n5") == keys(5, 9, 5))
    }

    @Test func `binary traces are read in their byte order`() throws {
        let bytes: [UInt8] = [0, 0, 0, 0, 0, 0, 1, 2]
        #expect(try decode(.cache2k, bytes) == keys(0, 0x102))
        #expect(try decode(.cloudPhysics, bytes) == keys(0, 0x0201_0000))
        #expect(try decode(.corda, bytes) == keys(0x102))
        #expect(try decode(.scarab, bytes) == keys(0x102))
    }

    @Test func `traces with sizes give weights, and an empty value weighs something`() throws {
        #expect(
            try decode(.adaptSize, "1 7 4096\n2 8 0\n") == [
                TraceAccess(key: 7, weight: 4_096), TraceAccess(key: 8, weight: 1),
            ])
        #expect(
            try decode(.libCacheSim, "version,time,op,size,lbn\n5,0.25,R,512,42\n")
                == [TraceAccess(key: 42, weight: 512)])
    }

    @Test func `damage is named by line or offset, and what came before it is told`() throws {
        try expectDamage(.lirs, "1\n2\nx7\n4\n", at: .line(3), after: keys(1, 2))
        try expectDamage(.lirs, "1\n2 3\n", at: .line(2), after: keys(1))
        try expectDamage(.arc, "1 1 0 0\n5\n", at: .line(2), after: keys(1))
        try expectDamage(.arc, "1 99999999999 0 0\n", at: .line(1), after: [])
        try expectDamage(.adaptSize, "1 7 99999999999\n", at: .line(1), after: [])
        try expectDamage(.libCacheSim, "version,time,op,size,lbn\n5,1,R,512\n", at: .line(2), after: [])
        try expectDamage(.corda, [0, 0, 0, 0, 0, 0, 0, 9, 1, 2, 3], at: .offset(8), after: keys(9))
        try expectDamage(.lirs, [UInt8](repeating: 0x31, count: 2_000), at: .line(1), after: [])
    }

    @Test func `how the bytes are cut into pieces makes no difference`() async throws {
        let texts: [(TraceFormat, [UInt8])] = [
            (.arc, Array("10 3 0 1\n7 2 0 2\n400 1 0 0".utf8)), (.lirs, Array("1\n*\n22\n333\n".utf8)),
            (.corda, [UInt8](0..<48)), (.cache2k, [UInt8](0..<24)), (.adaptSize, Array("1 2 3\n4 5 6\n".utf8)),
        ]
        try await forAll(seeds: 50) { generator in
            for (format, bytes) in texts {
                let whole = try decode(format, bytes)
                var cuts = [0, bytes.count]
                for _ in 0..<5 { cuts.append(generator.int(0...bytes.count)) }
                cuts.sort()
                let pieces = zip(cuts, cuts.dropFirst()).map { Array(bytes[$0..<$1]) }
                try #require(try decode(format, pieces) == whole)
            }
        }
    }

    @Test func `no bytes are too strange`() async throws {
        try await forAll(seeds: 200) { generator in
            let alphabet = Array("0123456789 ,*\n\r\tRx.-".utf8)
            let isText = generator.int(0...1) == 0
            let bytes = (0..<generator.int(0...400)).map { _ in
                isText ? alphabet[generator.int(0...alphabet.count - 1)] : UInt8(generator.int(0...255))
            }
            for format in TraceFormat.allCases {
                do throws(TraceDamage) {
                    _ = try decode(format, bytes)
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }

    // MARK: - Pieces

    private func keys(_ keys: UInt64...) -> [TraceAccess] { keys.map { TraceAccess(key: $0) } }

    private func decode(_ format: TraceFormat, _ text: String) throws(TraceDamage) -> [TraceAccess] {
        try decode(format, Array(text.utf8))
    }

    private func decode(_ format: TraceFormat, _ bytes: [UInt8]) throws(TraceDamage) -> [TraceAccess] {
        try decode(format, [bytes])
    }

    private func decode(_ format: TraceFormat, _ pieces: [[UInt8]]) throws(TraceDamage) -> [TraceAccess] {
        var found: [TraceAccess] = []
        try decode(format, pieces, into: &found)
        return found
    }

    private func decode(
        _ format: TraceFormat, _ pieces: [[UInt8]], into found: inout [TraceAccess]
    ) throws(TraceDamage) {
        var decoder = TraceDecoder(format: format)
        for piece in pieces {
            try piece.withUnsafeBufferPointer { bytes throws(TraceDamage) in
                try decoder.decode(UnsafeRawBufferPointer(bytes)) { found.append($0) }
            }
        }
        try decoder.finish { found.append($0) }
    }

    private func expectDamage(
        _ format: TraceFormat, _ text: String, at place: TraceDamage.Place, after accesses: [TraceAccess]
    ) throws {
        try expectDamage(format, Array(text.utf8), at: place, after: accesses)
    }

    private func expectDamage(
        _ format: TraceFormat, _ bytes: [UInt8], at place: TraceDamage.Place, after accesses: [TraceAccess]
    ) throws {
        var found: [TraceAccess] = []
        let damage = #expect(throws: TraceDamage.self) { try decode(format, [bytes], into: &found) }
        #expect(damage?.place == place)
        #expect(found == accesses)
    }
}
