import CacheTraces
import Testing

@Suite struct TraceDecoderTests {
    @Test func `an ARC line stands for a run of blocks`() throws {
        #expect(try decode(.arc, Array("10 3 0 1\n7 1 0 2\n".utf8)) == [10, 11, 12, 7].map { TraceAccess(key: $0) })
    }

    private func decode(_ format: TraceFormat, _ bytes: [UInt8]) throws -> [TraceAccess] {
        var decoder = TraceDecoder(format: format)
        var found: [TraceAccess] = []
        try bytes.withUnsafeBytes { try decoder.decode($0) { found.append($0) } }
        try decoder.finish { found.append($0) }
        return found
    }
}
